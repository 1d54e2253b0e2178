"""How the malignancy networks are trained."""
