  def loss(self: __torch__.Program, y: Tensor, data: Dict[str, Tensor], rows: Tensor) -> Tuple[Tensor, Tensor]:
    weights = data["class_weights"]
    label = torch.index_select(data["labels"], 0, rows)
    log_probability = torch.log_softmax(y, 1)
    loss, total, = torch.nll_loss_forward(log_probability, label, weights, 1, -100)
    slope = torch.nll_loss_backward(torch.ones_like(loss), log_probability, label, weights, 1, -100, total)
    if $smoothing > 0.:
      smooth_slope = torch.neg(torch.expand_as(weights / (total * $classes), y))
      loss = loss * (1. - $smoothing) + torch.sum(smooth_slope * log_probability) * $smoothing
      slope = slope * (1. - $smoothing) + smooth_slope * $smoothing
    else:
      loss = loss
      slope = slope
    return (loss, torch._log_softmax_backward_data(slope, log_probability, 1, 6))
  def measure(self: __torch__.Program, y: Tensor, data: Dict[str, Tensor], rows: Tensor) -> Tensor:
    return torch.to(torch.argmax(y, 1, True), 6)
