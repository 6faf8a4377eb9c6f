  def targets(self: __torch__.Program, data: Dict[str, Tensor], rows: Tensor) -> Tensor:
    sets = torch.index_select(data["labels"], 0, rows)
    padded = torch.zeros([torch.size(sets, 0), $classes + 1], dtype=6, layout=None, device=torch.device("$device"))
    return torch.slice(torch.scatter(padded, 1, sets, 1.), 1, 0, $classes)
  def loss(self: __torch__.Program, y: Tensor, data: Dict[str, Tensor], rows: Tensor) -> Tuple[Tensor, Tensor]:
    target = (self).targets(data, rows)
    weights = data["positive_weights"]
    loss = torch.binary_cross_entropy_with_logits(y, target, None, weights, 1)
    weighted = weights * target
    return (loss, ((weighted + 1. - target) * torch.sigmoid(y) - weighted) / torch.numel(y))
  def measure(self: __torch__.Program, y: Tensor, data: Dict[str, Tensor], rows: Tensor) -> Tensor:
    target = torch.gt((self).targets(data, rows), 0.5)
    predicted = torch.gt(y, 0.)
    hit = torch.sum(torch.__and__(predicted, target), [0])
    false = torch.sum(torch.__and__(predicted, torch.logical_not(target)), [0])
    missed = torch.sum(torch.__and__(torch.logical_not(predicted), target), [0])
    exact = torch.sum(torch.all(torch.eq(predicted, target), 1), [0], True)
    return torch.to(torch.unsqueeze(torch.cat([exact, hit, false, missed], 0), 0), 6)
