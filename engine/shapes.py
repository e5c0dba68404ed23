"""The letters of tensor dimensions, and a check that names what is wrong.

```
B batch            T latent frames      L tokens in a sequence      N attention heads
C latent channels  H latent rows        D transformer width         F pixel frames
                   W latent columns     M memory tokens
```
One layout per idea: latents and model video `B C T H W` (pixels in [-1, 1]), tokens `B L D`,
display frames `F H W 3` uint8.
"""

import torch

from engine.errors import ShapeError


def check(tensor: torch.Tensor, dims: str, **sizes: int) -> torch.Tensor:
    """Return `tensor` if it has the dimensions named in `dims`, for example `"B C T H W", C=16`.

    Raises:
        ShapeError: another number of dimensions, or another size of a named one.
    """
    names = dims.split()
    if tensor.ndim != len(names):
        raise ShapeError(
            f"A tensor of shape {tuple(tensor.shape)}. Expected {len(names)} dimensions: {dims}."
        )
    for name, size in zip(names, tensor.shape, strict=True):
        if name in sizes and size != sizes[name]:
            raise ShapeError(
                f"A tensor of shape {tuple(tensor.shape)} has {name} = {size}. "
                f"Expected {name} = {sizes[name]} in {dims}."
            )
    return tensor
