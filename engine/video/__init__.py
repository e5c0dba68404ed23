"""Latent time, the VAE as a stream, pictures and files."""
