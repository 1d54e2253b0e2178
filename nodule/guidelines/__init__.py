"""Published rules for lung nodules, as pure functions that name the rule they applied.

Every function takes frozen facts in mm and mm³ and returns one :class:`~nodule.guidelines.result.
Result`: applied, out of scope, or insufficient with the facts that are missing. Nothing here reads
files or images, and nothing decides for the reader what only a reader may decide.

==============================  ==================================================================
:mod:`.lung_rads`               ACR Lung-RADS v2022 and v1.1: screening
:mod:`.fleischner`              Fleischner Society 2017: incidental nodules
:mod:`.bts`, :mod:`.nelson`     British Thoracic Society 2015; the NELSON trial's categories
:mod:`.risk`                    Brock, Mayo and Herder probabilities
:mod:`.growth`                  volume change and doubling time with intervals
:mod:`.recist`                  RECIST 1.1: which lesions may be followed by their axes
==============================  ==================================================================
"""

from nodule.guidelines.facts import BenignFeature, Composition, NoduleFacts, Person, Size
from nodule.guidelines.result import Figure, Offer, Result, Rule, RuleSet

__all__ = [
    "BenignFeature",
    "Composition",
    "Figure",
    "NoduleFacts",
    "Offer",
    "Person",
    "Result",
    "Rule",
    "RuleSet",
    "Size",
]
