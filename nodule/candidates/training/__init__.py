"""How the candidates network is trained."""
