package dev.graft.cli;

import dev.graft.cli.progress.FarmView;
import dev.graft.cli.progress.Progress;
import dev.graft.cli.progress.WorkersView;
import dev.graft.client.ExtractCall;
import dev.graft.client.ExtractJob;
import dev.graft.client.GraftClient;
import dev.graft.client.TrainJob;
import dev.graft.client.TrainingCall;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.Item;
import java.util.Optional;

/** A connection to a worker, and the worker if it is the command's own. */
final class WorkerSession implements Workers {
  private final Optional<EmbeddedWorker> own;
  private final DescribeWorkerResponse description;
  private final GraftClient client;

  private WorkerSession(
      Optional<EmbeddedWorker> own, DescribeWorkerResponse description, GraftClient client) {
    this.own = own;
    this.description = description;
    this.client = client;
  }

  static WorkerSession remote(String target) {
    return connect(Optional.empty(), target);
  }

  static WorkerSession own(EmbeddedWorker worker, String target) {
    try {
      return connect(Optional.of(worker), target);
    } catch (RuntimeException | Error e) { // whatever it is, nobody else will close it
      worker.close();
      throw e;
    }
  }

  /** Asks the worker for its limits first, and keeps to them. */
  private static WorkerSession connect(Optional<EmbeddedWorker> own, String target) {
    DescribeWorkerResponse description;
    try (GraftClient asking = GraftClient.connect(target)) {
      description = asking.describe();
    }
    GraftClient.Builder client = GraftClient.builder(target);
    int maxMessageBytes = description.getLimits().getMaxMessageBytes();
    if (maxMessageBytes > 0) {
      client.maxMessageBytes(maxMessageBytes);
    }
    return new WorkerSession(own, description, client.build());
  }

  /** The worker as it was when the session began. */
  DescribeWorkerResponse description() {
    return description;
  }

  GraftClient client() {
    return client;
  }

  @Override
  public Extraction extract(ExtractJob job, Iterable<Item> items) {
    ExtractCall call = client.extract(job, items);
    return new Extraction(call::ready, call, call::cancel);
  }

  @Override
  public Training train(TrainJob job) {
    TrainingCall call = client.train(job);
    return new Training(call, Optional::empty, call::cancel);
  }

  @Override
  public String version() {
    return description.getVersion();
  }

  @Override
  public WorkersView show(Progress progress, FarmView.Job job) {
    return WorkersView.none();
  }

  @Override
  public void close() {
    client.close();
    own.ifPresent(EmbeddedWorker::drain); // what was cancelled is undone before the process ends
  }
}
