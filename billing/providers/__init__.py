"""Who takes the money: each provider speaks the same words (`base`), in Stripe's meaning of them."""
