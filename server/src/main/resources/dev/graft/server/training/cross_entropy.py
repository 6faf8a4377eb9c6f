  def loss(self: __torch__.Program, y: Tensor, data: Dict[str, Tensor], rows: Tensor) -> Tuple[Tensor, Tensor]:
    weights = data["class_weights"]
    label = torch.index_select(data["labels"], 0, rows)
    weight = torch.index_select(weights, 0, label)
    total = torch.sum(weight)
    target = torch.scatter(torch.zeros_like(y), 1, torch.unsqueeze(label, 1), torch.unsqueeze(weight, 1))
    if $smoothing > 0.:
      target = target * (1. - $smoothing) + weights * ($smoothing / $classes)
      row_total = torch.sum(target, [1], True)
    else:
      target = target
      row_total = torch.unsqueeze(weight, 1)
    log_probability = torch.log_softmax(y, 1)
    loss = torch.neg(torch.sum(target * log_probability)) / total
    return (loss, (torch.exp(log_probability) * row_total - target) / total)
  def measure(self: __torch__.Program, y: Tensor, data: Dict[str, Tensor], rows: Tensor) -> Tensor:
    return torch.to(torch.argmax(y, 1, True), 6)
