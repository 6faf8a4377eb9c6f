package dev.graft.client.pool;

import com.google.protobuf.ByteString;
import dev.graft.client.GraftRpcException;
import dev.graft.client.TrainEvent;
import dev.graft.client.TrainJob;
import dev.graft.v1.ExtractReady;
import io.github.resilience4j.retry.Retry;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A training over many workers as an iterator over its events: the features of its items are
 * computed on all workers, then one trains on them. If that one is lost another goes on from the
 * last checkpoint, and the projector has the bytes that it would have had. Events that the second
 * one repeats are left out.
 *
 * <p>One thread iterates; the first call of {@code hasNext} lets a worker check the spec, which
 * gives the {@link TrainEvent.Ready}, the second computes the features. Closing before the end,
 * from any thread, cancels the training. One that cannot go on throws an {@link
 * IncompleteJobException}, or the failure that no other worker would change. How often there are
 * checkpoints is up to the spec's {@code save_steps}.
 */
public final class PooledTraining implements Iterator<TrainEvent>, AutoCloseable {
  private final long number;
  private final WorkerPool pool;
  private final Requirements requirements;
  private final WorkerChoice onFeatures;
  private final PoolOptions options;
  private final Consumer<PoolEvent> events;
  private final Retry retry;
  private final Set<String> avoided = new HashSet<>();
  private final RepeatedEvents repeated = new RepeatedEvents();
  private volatile Optional<ExtractReady> extraction = Optional.empty();
  private volatile boolean closed;
  private volatile AutoCloseable running = () -> {};

  // Used by the iterating thread only.
  private TrainJob job;
  private boolean isChecked;
  private boolean hasFeatures;
  private ExtractionSummary summary = ExtractionSummary.NONE;
  private Retry.AsyncContext<?> attempts;
  private Patience patience; // another one after each progress
  private long checkpointStep;
  private PlacedTraining training; // null between calls
  private TrainEvent head;
  private boolean completed;

  PooledTraining(
      long number,
      WorkerPool pool,
      TrainJob job,
      Requirements requirements,
      PoolOptions options,
      Consumer<PoolEvent> events) {
    this.number = number;
    this.pool = pool;
    this.job = job;
    this.requirements = requirements;
    this.onFeatures = WorkerChoice.withoutBackbone(requirements);
    this.options = options;
    this.events = events;
    this.hasFeatures = !job.spec().getFeatures().hasBackbone();
    this.isChecked = hasFeatures; // then the training itself is told the whole spec
    this.retry = Retries.of("training-" + number, options);
    this.attempts = retry.asyncContext();
    this.patience = pool.patience(WorkerChoice.of(requirements, job.spec().getFeatures()));
  }

  /** What the feature extraction's spec came to, with the backbone's digest; empty before. */
  public Optional<ExtractReady> extraction() {
    return extraction;
  }

  @Override
  public boolean hasNext() {
    if (head == null && !completed) {
      head = advance();
    }
    return head != null;
  }

  @Override
  public TrainEvent next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the training is complete");
    }
    TrainEvent next = head;
    head = null;
    completed = next instanceof TrainEvent.Completed;
    return next;
  }

  private TrainEvent advance() {
    if (!isChecked) {
      TrainEvent ready = check();
      isChecked = true;
      return ready;
    }
    if (!hasFeatures) {
      FarmedFeatures features = FarmedFeatures.of(pool, job, requirements, this::running);
      job = features.job();
      extraction = Optional.of(features.ready());
      summary = features.summary();
      hasFeatures = true;
    }
    while (true) {
      requireOpen();
      if (training == null) {
        training = open(onFeatures, job);
      }
      try {
        TrainEvent event = training.next();
        keep(event);
        if (event instanceof TrainEvent.Completed) {
          training.succeeded();
        }
        if (!repeated.contains(event)) {
          TrainEvent told = summary.addedTo(event);
          events.accept(new PoolEvent.Training(number, training.worker(), told));
          return told;
        }
      } catch (GraftRpcException failed) {
        move(training, failed);
        training = null;
      }
    }
  }

  /**
   * Lets a worker say what the whole spec comes to, before anything is computed. Only here is the
   * audit that of the backbone too.
   */
  private TrainEvent check() {
    TrainJob withoutItems =
        new TrainJob(
            job.spec(),
            List.of(),
            List.of(),
            job.initialProjector(),
            job.checkpoint(),
            job.deadline());
    while (true) {
      requireOpen();
      PlacedTraining checking =
          open(WorkerChoice.of(requirements, job.spec().getFeatures()), withoutItems);
      try {
        TrainEvent ready = checking.next();
        checking.succeeded();
        attempts = retry.asyncContext();
        patience = pool.patience(onFeatures);
        repeated.contains(ready); // the second is that of the training on features
        events.accept(new PoolEvent.Training(number, checking.worker(), ready));
        return ready;
      } catch (GraftRpcException failed) {
        move(checking, failed);
      }
    }
  }

  private PlacedTraining open(WorkerChoice choice, TrainJob opened) {
    PlaceRequest request = pool.requestPlace(choice, options.shardTokens(), avoided, patience);
    running(() -> request.place().cancel(true));
    Workforce.Place place;
    try {
      place = request.place().join();
    } catch (CompletionException | CancellationException failed) {
      requireOpen();
      throw failed.getCause() instanceof RuntimeException cause ? cause : failed;
    }
    PlacedTraining placed = PlacedTraining.open(place, opened, pool.loop());
    running(placed);
    return placed;
  }

  private void keep(TrainEvent event) {
    if (event instanceof TrainEvent.CheckpointSaved saved && saved.step() > checkpointStep) {
      checkpointStep = saved.step();
      job = job.withCheckpoint(saved.file());
      attempts = retry.asyncContext(); // this is progress
    }
  }

  private void move(PlacedTraining lost, GraftRpcException failed) {
    lost.failed(failed);
    requireOpen();
    failed.lastCheckpoint().ifPresent(this::keep);
    if (RetryTable.isRefusal(failed)) {
      tellMoved(lost, failed); // the worker gets no call for a while; patience says how often
      return;
    }
    patience = pool.patience(onFeatures);
    patience.gotOn();
    long pauseMillis = attempts.onError(failed);
    if (pauseMillis < 1) {
      throw RetryTable.scope(failed) == RetryScope.NEVER
          ? failed
          : new IncompleteJobException(
              "%d attempts without a new checkpoint failed, the last at worker %s with: %s; the last checkpoint is that of step %d"
                  .formatted(
                      options.mostAttempts(), lost.worker(), failed.getMessage(), checkpointStep),
              failed);
    }
    if (RetryTable.scope(failed) == RetryScope.OTHER_WORKER) {
      avoided.add(lost.worker());
    }
    tellMoved(lost, failed);
    try {
      TimeUnit.MILLISECONDS.sleep(pauseMillis);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new CancellationException("the thread that waited for the training was interrupted");
    }
  }

  private void tellMoved(PlacedTraining lost, GraftRpcException failed) {
    events.accept(
        new PoolEvent.TrainingMoved(number, lost.worker(), failed.getMessage(), checkpointStep));
  }

  /** The last checkpoint that is known, to go on from in another job; empty if there is none. */
  public Optional<ByteString> lastCheckpoint() {
    return job.checkpoint().isEmpty() ? Optional.empty() : Optional.of(job.checkpoint());
  }

  private void running(AutoCloseable now) {
    running = now;
    if (closed) {
      close();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new CancellationException("the training was cancelled by its caller");
    }
  }

  /** Cancels the training unless it is over. */
  @Override
  public void close() {
    closed = true;
    try {
      running.close();
    } catch (Exception defect) { // none of the three ways to end declares one
      throw new IllegalStateException(defect);
    }
  }
}
