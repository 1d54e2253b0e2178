"""How well judgements of malignancy agree with the readers' ratings."""
