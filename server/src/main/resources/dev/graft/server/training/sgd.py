  def update(self: __torch__.Program, p: List[Tensor], gradients: List[Tensor], state: List[List[Tensor]], learning_rate: float, step: int, from_: int, to: int, weight_decay: float) -> int:
    parameters = torch.slice(p, from_, to, 1)
    buffers = torch.slice(state[0], from_, to, 1)
    torch._fused_sgd_(parameters, torch.slice(gradients, from_, to, 1), buffers, weight_decay=weight_decay, momentum=$momentum, lr=learning_rate, dampening=0., nesterov=False, maximize=False, is_first_step=torch.eq(step, 1))
    return step
