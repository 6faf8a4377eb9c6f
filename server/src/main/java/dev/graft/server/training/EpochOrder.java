package dev.graft.server.training;

import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.TorchDevice;
import dev.graft.server.training.CounterRandom.Purpose;
import java.util.stream.LongStream;

/** The order of the training items in the present epoch, on the device. */
final class EpochOrder implements AutoCloseable {
  private final TorchDevice device;
  private final ProjectorTrainer trainer;
  private final TrainingArguments arguments;
  private final int items;
  private Scope scope;
  private Tensor order;
  private long epoch = -1;

  EpochOrder(TorchDevice device, ProjectorTrainer trainer, TrainingArguments arguments, int items) {
    this.device = device;
    this.trainer = trainer;
    this.arguments = arguments;
    this.items = items;
  }

  /** The order of an epoch; that of another is let go. */
  Tensor of(long wanted) {
    if (epoch != wanted) {
      close();
      scope = Scope.open(device);
      order = trainer.order(scope, positions(wanted));
      epoch = wanted;
    }
    return order;
  }

  private long[] positions(long wanted) {
    return switch (arguments.trainSamplingStrategy()) {
      case SEQUENTIAL -> LongStream.range(0, items).toArray();
      case RANDOM -> CounterRandom.of(arguments.seed(), Purpose.ORDER, wanted).permutation(items);
    };
  }

  @Override
  public void close() {
    if (scope != null) {
      scope.close();
    }
  }
}
