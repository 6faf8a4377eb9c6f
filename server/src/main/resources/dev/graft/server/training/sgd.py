  def update(self: __torch__.Program, group: Dict[str, Tensor], state: List[Dict[str, Tensor]], gradients: List[Tensor], learning_rate: float, step: int, weight_decay: float) -> int:
    if $momentum > 0.:
      torch._fused_sgd_(torch.values(group), gradients, torch.values(state[0]), weight_decay=weight_decay, momentum=$momentum, lr=learning_rate, dampening=0., nesterov=False, maximize=False, is_first_step=torch.eq(step, 1))
    else:
      torch._fused_sgd_(torch.values(group), gradients, annotate(List[Tensor], []), weight_decay=weight_decay, momentum=0., lr=learning_rate, dampening=0., nesterov=False, maximize=False, is_first_step=True)
    return step
