"""A report as a FHIR R4 bundle."""

from nodule.fhir.bundle import build_bundle, bundle_json

__all__ = ["build_bundle", "bundle_json"]
