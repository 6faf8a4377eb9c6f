  def inputs(self: __torch__.Program, data: Dict[str, Tensor], rows: Tensor) -> Tensor:
    x = torch.index_select(data["features"], 0, rows)
    if $pairs:
      x = torch.cat([x, torch.index_select(data["pairs"], 0, rows)], 0)
    else:
      x = x
    return x
  def step_gradients(self: __torch__.Program, data: Dict[str, Tensor], order: Tensor, p: List[Tensor], masks: List[Tensor], bounds: List[int]) -> Tuple[Tensor, List[Tensor]]:
    n = torch.len(bounds) - 1
    losses = annotate(List[Tensor], [])
    total = annotate(List[Tensor], [])
    for i in range(n):
      rows = torch.slice(order, 0, bounds[i], bounds[i + 1])
      own_masks = torch.slice(masks, i * $hidden, (i + 1) * $hidden, 1)
      y, saved, = (self).project_saving((self).inputs(data, rows), p, own_masks)
      batch_loss, g, = (self).loss(y, data, rows)
      _0 = torch.append(losses, batch_loss)
      if torch.gt(n, 1):
        g = g / n
      else:
        g = g
      gradients = (self).gradients(g, p, saved, own_masks)
      if torch.eq(i, 0):
        total = gradients
      else:
        total = torch._foreach_add(total, gradients)
    return (torch.mean(torch.stack(losses)), total)
  def train(self: __torch__.Program, data: Dict[str, Tensor], order: Tensor, weights: Dict[str, Tensor], others: Dict[str, Tensor], weights_state: List[Dict[str, Tensor]], others_state: List[Dict[str, Tensor]], masks: List[Tensor], bounds: List[int], learning_rate: float, step: int) -> Tensor:
    p = torch.add(torch.values(weights), torch.values(others))
    loss, gradients, = (self).step_gradients(data, order, p, masks, bounds)
    norm = torch.linalg_vector_norm(torch.stack(torch._foreach_norm(gradients)), 2)
    if bool(torch.isfinite(loss + norm)):
      if $clip > 0.:
        coefficient = torch.clamp_max(torch.reciprocal(norm + 9.9999999999999995e-07) * $clip, 1.)
        gradients = torch._foreach_mul(gradients, coefficient)
      else:
        gradients = gradients
      _0 = (self).update(weights, weights_state, torch.slice(gradients, 0, $layers, 1), learning_rate, step, $weight_decay)
      if torch.gt(torch.len(gradients), $layers):
        _1 = (self).update(others, others_state, torch.slice(gradients, $layers, torch.len(gradients), 1), learning_rate, step, 0.)
      else:
        pass
    else:
      pass
    return torch.stack([loss, norm])
  def gradients_of(self: __torch__.Program, data: Dict[str, Tensor], order: Tensor, weights: Dict[str, Tensor], others: Dict[str, Tensor], masks: List[Tensor], bounds: List[int]) -> List[Tensor]:
    loss, gradients, = (self).step_gradients(data, order, torch.add(torch.values(weights), torch.values(others)), masks, bounds)
    return torch.add([loss], gradients)
  def evaluate(self: __torch__.Program, data: Dict[str, Tensor], weights: Dict[str, Tensor], others: Dict[str, Tensor], start: int, end: int, batch: int) -> List[Tensor]:
    p = torch.add(torch.values(weights), torch.values(others))
    losses = annotate(List[Tensor], [])
    measured = annotate(List[Tensor], [])
    for i in range(torch.floordiv(end - start + batch - 1, batch)):
      first = start + i * batch
      rows = torch.arange(first, ops.prim.min(first + batch, end), dtype=4, layout=None, device=torch.device("$device"))
      y = (self).project((self).inputs(data, rows), p)
      loss, g, = (self).loss(y, data, rows)
      _0 = torch.append(losses, loss)
      _1 = torch.append(measured, (self).measure(y, data, rows))
    return [torch.stack(losses), torch.cat(measured, 0)]
