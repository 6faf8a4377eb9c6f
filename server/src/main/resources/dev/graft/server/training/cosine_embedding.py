  def loss(self: __torch__.Program, y: Tensor, data: Dict[str, Tensor], rows: Tensor) -> Tuple[Tensor, Tensor]:
    n = torch.size(rows, 0)
    labels = torch.index_select(data["labels"], 0, rows)
    a = torch.slice(y, 0, 0, n)
    if $pairs:
      b = torch.slice(y, 0, n, 2 * n)
      alike = torch.gt(labels, 0.)
    else:
      b = labels
      alike = torch.gt(torch.ones_like(torch.slice(a, 1, 0, 1)), 0.)
    square_a = torch.sum(a * a, [1], True) + 9.9999999999999998e-13
    square_b = torch.sum(b * b, [1], True) + 9.9999999999999998e-13
    product = torch.sqrt(square_a * square_b)
    cosine = torch.sum(a * b, [1], True) / product
    excess = cosine - $margin
    loss = torch.mean(torch.where(alike, torch.rsub(cosine, 1.), torch.clamp_min(excess, 0.)))
    slope = torch.where(alike, torch.neg(torch.ones_like(cosine)), torch.to(torch.ge(excess, 0.), 6)) / n
    g = slope * (b / product - cosine * a / square_a)
    if $pairs:
      g = torch.cat([g, slope * (a / product - cosine * b / square_b)], 0)
    else:
      g = g
    return (loss, g)
  def measure(self: __torch__.Program, y: Tensor, data: Dict[str, Tensor], rows: Tensor) -> Tensor:
    return torch.zeros([0, 1], dtype=6, layout=None, device=torch.device("$device"))
