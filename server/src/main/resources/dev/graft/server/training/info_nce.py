  def unit(self: __torch__.Program, x: Tensor) -> Tuple[Tensor, Tensor]:
    norm = torch.clamp_min(torch.linalg_vector_norm(x, 2, [1], True), 9.9999999999999998e-13)
    return (x / norm, norm)
  def unit_gradient(self: __torch__.Program, g: Tensor, unit: Tensor, norm: Tensor) -> Tensor:
    return (g - unit * torch.sum(g * unit, [1], True)) / norm
  def loss(self: __torch__.Program, y: Tensor, data: Dict[str, Tensor], rows: Tensor) -> Tuple[Tensor, Tensor]:
    n = torch.size(rows, 0)
    a, norm_a, = (self).unit(torch.slice(y, 0, 0, n))
    b, norm_b, = (self).unit(torch.slice(y, 0, n, 2 * n))
    scores = torch.matmul(a, torch.t(b)) / $temperature
    own = torch.eye(n, dtype=6, layout=None, device=torch.device("$device"))
    log_probability = torch.log_softmax(scores, 1)
    loss = torch.neg(torch.mean(torch.diagonal(log_probability)))
    g = torch.exp(log_probability) - own
    if $symmetric:
      log_backward = torch.log_softmax(scores, 0)
      loss = (loss - torch.mean(torch.diagonal(log_backward))) / 2.
      g = (g + torch.exp(log_backward) - own) / 2.
    else:
      loss = loss
      g = g
    g = g / (n * $temperature)
    ga = (self).unit_gradient(torch.matmul(g, b), a, norm_a)
    gb = (self).unit_gradient(torch.matmul(torch.t(g), a), b, norm_b)
    return (loss, torch.cat([ga, gb], 0))
  def measure(self: __torch__.Program, y: Tensor, data: Dict[str, Tensor], rows: Tensor) -> Tensor:
    n = torch.size(rows, 0)
    a, norm_a, = (self).unit(torch.slice(y, 0, 0, n))
    b, norm_b, = (self).unit(torch.slice(y, 0, n, 2 * n))
    nearest = torch.argmax(torch.matmul(a, torch.t(b)), 1)
    own = torch.arange(n, dtype=4, layout=None, device=torch.device("$device"))
    return torch.unsqueeze(torch.to(torch.eq(nearest, own), 6), 1)
