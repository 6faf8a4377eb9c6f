  def update(self: __torch__.Program, group: Dict[str, Tensor], state: List[Dict[str, Tensor]], gradients: List[Tensor], learning_rate: float, step: int, weight_decay: float) -> int:
    at = torch.full([], step, dtype=6, layout=None, device=torch.device("$device"))
    steps = torch.mul(annotate(List[Tensor], [at]), torch.len(gradients))
    torch._fused_adamw_(torch.values(group), gradients, torch.values(state[0]), torch.values(state[1]), annotate(List[Tensor], []), steps, lr=learning_rate, beta1=$beta1, beta2=$beta2, weight_decay=weight_decay, eps=$epsilon, amsgrad=False, maximize=False)
    return step
