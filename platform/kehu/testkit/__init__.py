"""What tests of the product and of plugins build on, published as pytest plugins."""
