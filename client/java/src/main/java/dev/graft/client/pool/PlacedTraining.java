package dev.graft.client.pool;

import dev.graft.client.GraftRpcException;
import dev.graft.client.TrainEvent;
import dev.graft.client.TrainJob;
import dev.graft.client.TrainingCall;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** A Train call and its place at a worker, which is left once, however the call ends. */
final class PlacedTraining implements AutoCloseable {
  private final Workforce.Place place;
  private final TrainingCall call;
  private final Executor loop;
  private final AtomicBoolean left = new AtomicBoolean();

  private PlacedTraining(Workforce.Place place, TrainingCall call, Executor loop) {
    this.place = place;
    this.call = call;
    this.loop = loop;
  }

  /**
   * Opens the call.
   *
   * @param loop where places are left
   */
  static PlacedTraining open(Workforce.Place place, TrainJob job, Executor loop) {
    try {
      return new PlacedTraining(place, place.train(job), loop);
    } catch (RuntimeException thrown) {
      loop.execute(place::abandon);
      throw thrown;
    }
  }

  String worker() {
    return place.worker();
  }

  TrainEvent next() {
    return call.next();
  }

  /** The call gave what it was to give. */
  void succeeded() {
    leave(Workforce.Place::leave);
    call.close();
  }

  void failed(GraftRpcException failure) {
    leave(taken -> taken.leave(failure));
  }

  /** Ends the call, from any thread, unless it has ended. */
  @Override
  public void close() {
    leave(Workforce.Place::abandon);
    call.close();
  }

  private void leave(Consumer<Workforce.Place> how) {
    if (left.compareAndSet(false, true)) {
      loop.execute(() -> how.accept(place));
    }
  }
}
