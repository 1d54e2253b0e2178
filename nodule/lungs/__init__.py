"""The right and the left lung: a 3D U-Net, and a classical method for labels and reference."""
