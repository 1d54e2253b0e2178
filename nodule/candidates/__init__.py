"""Where the nodules may be: a heat-map network over the lungs."""
