package dev.graft.server.training;

import java.util.List;

/**
 * One tensor that trains.
 *
 * @param name in the projector's file: as in torch.nn.Linear, or torch.nn.Sequential
 */
public record ParameterInfo(String name, List<Long> shape) {
  public ParameterInfo {
    shape = List.copyOf(shape);
  }

  /** Number of values. */
  public long count() {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }

  long[] shapeArray() {
    return shape.stream().mapToLong(Long::longValue).toArray();
  }
}
