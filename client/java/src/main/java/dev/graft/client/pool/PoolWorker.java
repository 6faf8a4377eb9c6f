package dev.graft.client.pool;

import dev.graft.client.ExtractJob;
import dev.graft.client.ExtractResults;
import dev.graft.client.GraftClient;
import dev.graft.client.TrainJob;
import dev.graft.client.TrainingCall;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.Item;
import io.grpc.Channel;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;

/**
 * One worker: what it said of itself while it is up, and the calls that it has. Used in the pool's
 * synchronization context only.
 */
final class PoolWorker {
  private final String name;
  private final Channel channel;
  private final WorkerGate gate;
  private final LongSupplier nanoTime;
  private final Runnable describeAgain;
  private Optional<DescribeWorkerResponse> description = Optional.empty(); // present: it is up
  private String whyDown = "it has not answered yet";
  private volatile GraftClient client; // made when it is first up
  private long outstandingTokens;
  private OptionalLong lastDone = OptionalLong.empty();
  private final Set<String> describedFor = new HashSet<>(); // once for a backbone

  /**
   * A worker that is down at first.
   *
   * @param describeAgain lets it describe itself anew, which {@link #up} hears of
   */
  PoolWorker(
      String name,
      Channel channel,
      WorkerGate gate,
      LongSupplier nanoTime,
      Runnable describeAgain) {
    this.describeAgain = describeAgain;
    this.name = name;
    this.channel = channel;
    this.gate = gate;
    this.nanoTime = nanoTime;
  }

  String name() {
    return name;
  }

  boolean isUp() {
    return description.isPresent();
  }

  Optional<DescribeWorkerResponse> description() {
    return description;
  }

  long outstandingTokens() {
    return outstandingTokens;
  }

  /** When a call was last done here, as the pool's clock counts. */
  OptionalLong lastDone() {
    return lastDone;
  }

  WorkerState state() {
    return new WorkerState(name, description, whyDown, outstandingTokens);
  }

  /** It serves, and says this of itself; tells whether it did not before. */
  boolean up(DescribeWorkerResponse answer) {
    boolean wasUp = isUp();
    description = Optional.of(answer);
    if (client == null) {
      GraftClient.Builder builder = GraftClient.builder(channel);
      if (answer.getLimits().getMaxMessageBytes() > 0) {
        builder.maxMessageBytes(answer.getLimits().getMaxMessageBytes());
      }
      client = builder.build();
    }
    if (!wasUp) {
      describedFor.clear();
      gate.reset(answer);
    }
    return !wasUp;
  }

  /** It does not serve; tells whether it did before. */
  boolean down(String why) {
    boolean wasUp = isUp();
    description = Optional.empty();
    whyDown = why;
    return wasUp;
  }

  /** What it lacks of what a job needs; empty also while it is down. */
  List<String> lacking(WorkerChoice choice) {
    return description.map(choice.requirements()::lacking).orElse(List.of());
  }

  boolean canDo(WorkerChoice choice) {
    return isUp() && lacking(choice).isEmpty();
  }

  /** Whether it may take a call now, as far as that can be told without trying. */
  boolean hasRoom() {
    return gate.isOpen();
  }

  /** Calls that it gets at the same time. */
  int calls() {
    return gate.calls();
  }

  boolean isHeldBack() {
    return gate.isHeldBack();
  }

  /** Why it takes no call, as a sentence. */
  String whyNot(WorkerChoice choice) {
    if (!isUp()) {
      return name + " is down: " + whyDown;
    }
    List<String> lacking = lacking(choice);
    return lacking.isEmpty()
        ? name + " " + gate.why()
        : name + " lacks " + String.join(" and ", lacking);
  }

  /** Ends its calls. */
  void close() {
    if (client != null) {
      client.close();
    }
  }

  /** A place for a call, if it is up, not at its limit, and not failing. */
  Optional<Workforce.Place> take(WorkerChoice choice, long tokens) {
    return isUp() ? gate.enter(tokens).map(pass -> place(choice, tokens, pass)) : Optional.empty();
  }

  private Workforce.Place place(WorkerChoice choice, long tokens, WorkerGate.Pass pass) {
    outstandingTokens += tokens;
    return new TakenPlace(choice, tokens, pass);
  }

  private final class TakenPlace implements Workforce.Place {
    private final WorkerChoice choice;
    private final long tokens;
    private final WorkerGate.Pass pass;

    TakenPlace(WorkerChoice choice, long tokens, WorkerGate.Pass pass) {
      this.choice = choice;
      this.tokens = tokens;
      this.pass = pass;
    }

    @Override
    public String worker() {
      return name;
    }

    @Override
    public CompletableFuture<ExtractResults> extract(ExtractJob job, List<Item> items) {
      return client.extractAsync(job, items);
    }

    @Override
    public TrainingCall train(TrainJob job) {
      return client.train(job);
    }

    @Override
    public void leave() {
      outstandingTokens -= tokens;
      lastDone = OptionalLong.of(nanoTime.getAsLong());
      pass.succeeded();
      if (!description.map(choice::isLoadedAt).orElse(true)
          && describedFor.add(choice.backbone())) {
        describeAgain.run(); // it has the backbone in memory now
      }
    }

    @Override
    public Duration leave(Throwable failure) {
      outstandingTokens -= tokens;
      return pass.failed(failure);
    }

    @Override
    public void abandon() {
      outstandingTokens -= tokens;
      pass.abandoned();
    }
  }
}
