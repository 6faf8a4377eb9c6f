package dev.graft.cli.bench;

import dev.graft.client.ExtractJob;
import dev.graft.client.GraftClient;
import dev.graft.client.QuantizeCall;
import dev.graft.client.QuantizeEvent;
import dev.graft.client.TrainEvent;
import dev.graft.client.TrainJob;
import dev.graft.server.jobs.Content;
import dev.graft.server.jobs.FeatureRequest;
import dev.graft.server.rpc.Worker;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernels;
import dev.graft.v1.Backbone;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import dev.graft.v1.Objective;
import dev.graft.v1.Pooling;
import dev.graft.v1.Projector;
import dev.graft.v1.ProjectorKind;
import dev.graft.v1.QuantizationScheme;
import dev.graft.v1.QuantizeRequest;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainingArguments;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.stream.DoubleStream;

/** One measurement: a worker and its client over a socket, in a process of their own. */
final class BenchProcess implements AutoCloseable {
  private static final int TURNS = 7;

  private final String model;
  private final Optional<ComputeDtype> dtype;
  private final Worker worker;
  private final GraftClient client;
  private final Map<String, Object> figures = new LinkedHashMap<>();

  /**
   * @param model the backbone; none for a worker that loads none
   * @param options of the worker, but for where it listens and what it reads
   */
  BenchProcess(Optional<Path> model, WorkerOptions options) throws IOException {
    this.model = model.map(Path::toString).orElse("");
    this.dtype = options.computeDtype();
    this.worker =
        Worker.start(
            options.listen("127.0.0.1", 0).modelRoots(model.stream().toList()).cacheMemoryBytes(0));
    this.client = GraftClient.connect("127.0.0.1:" + worker.port());
  }

  /** A worker before it has a backbone. */
  void idle() {
    figures.put("device", worker.services().resources().device().name());
    figures.put("dtype", resolvedDtype().name());
  }

  /**
   * Extracts features of all items once and trains a linear projector on them for three epochs.
   *
   * @param tokenFlops floating-point operations of the matrix products of one token
   */
  void train(List<Item> items, double tokenFlops) throws IOException {
    loadBackbone(items.get(0));
    TrainSpec spec =
        TrainSpec.newBuilder()
            .setFeatures(features(Pooling.POOLING_LAST))
            .setProjector(Projector.newBuilder().setKind(ProjectorKind.PROJECTOR_KIND_LINEAR))
            .setObjective(
                Objective.newBuilder()
                    .setCrossEntropy(CrossEntropy.newBuilder().setNumClasses(BenchItems.CLASSES)))
            .setArguments(TrainingArguments.newBuilder().setLearningRate(1e-4).setNumTrainEpochs(3))
            .build();
    Stopwatch watch = Stopwatch.start();
    TrainEvent.Completed completed = client.trainAsync(TrainJob.of(spec, items)).join();
    watch.stop(figures);
    double extraction = completed.result().getExtractionSeconds();
    figures.put("extract_s", extraction);
    figures.put("train_s", completed.result().getTrainRuntimeSeconds());
    putSpeed(BenchItems.tokens(items), watch.seconds(), extraction, tokenFlops);
  }

  /** Extracts features of all items once. */
  void extract(List<Item> items, double tokenFlops) throws IOException {
    loadBackbone(items.get(0));
    ExtractSpec spec = ExtractSpec.newBuilder().setFeatures(features(Pooling.POOLING_LAST)).build();
    Stopwatch watch = Stopwatch.start();
    client.extractAsync(ExtractJob.of(spec), items).join();
    watch.stop(figures);
    putSpeed(BenchItems.tokens(items), watch.seconds(), watch.seconds(), tokenFlops);
  }

  private void putSpeed(long tokens, double seconds, double extraction, double tokenFlops) {
    double limit =
        worker.services().resources().lanes().count()
            * 1e9
            * worker.services().resources().kernels().measured().stream()
                .filter(measured -> measured.dtype() == resolvedDtype())
                .mapToDouble(Kernels.Measured::gflops)
                .max()
                .orElseThrow();
    figures.put("tokens_per_s", tokens / seconds);
    figures.put("product_limit_fraction", tokens * tokenFlops / extraction / limit);
  }

  /** Makes a quantized copy. */
  void quantize(QuantizationScheme scheme, Path output) throws IOException {
    QuantizeRequest request =
        QuantizeRequest.newBuilder()
            .setSource(backbone())
            .setScheme(scheme)
            .setDoubleQuantization(scheme == QuantizationScheme.QUANTIZATION_SCHEME_NF4)
            .setDestination(output.toString())
            .build();
    Stopwatch watch = Stopwatch.start();
    long bytes = 0;
    long largest = 0;
    try (QuantizeCall call = client.quantize(request)) {
      while (call.hasNext()) {
        if (call.next() instanceof QuantizeEvent.TensorDone done) {
          bytes += done.tensor().getSourceBytes();
          largest = Math.max(largest, done.tensor().getSourceBytes());
        }
      }
    }
    watch.stop(figures);
    figures.put("source_mb_per_s", bytes / 1e6 / watch.seconds());
    figures.put("largest_tensor_mib", largest / (double) (1 << 20));
  }

  /**
   * Extracts texts over the socket, and in the same process without transport, in turns. The first
   * turn of each is left out, in which its code is new.
   */
  void extractInTurns(List<Item> items) throws IOException {
    loadBackbone(items.get(0));
    ExtractSpec spec = ExtractSpec.newBuilder().setFeatures(features(Pooling.POOLING_MEAN)).build();
    long tokens =
        client.extractAsync(ExtractJob.of(spec), items).join().results().stream()
            .mapToLong(ItemResult::getTokens)
            .sum();
    extractDirectly(items);
    double[] socket = new double[TURNS];
    double[] direct = new double[TURNS];
    Stopwatch watch = Stopwatch.start();
    for (int turn = 0; turn < TURNS; turn++) {
      double start = System.nanoTime() / 1e9;
      client.extractAsync(ExtractJob.of(spec), items).join();
      double between = System.nanoTime() / 1e9;
      extractDirectly(items);
      socket[turn] = between - start;
      direct[turn] = System.nanoTime() / 1e9 - between;
    }
    watch.stop(figures);
    double best = DoubleStream.of(socket).min().orElseThrow(); // as of the baseline
    figures.put("seconds", best);
    figures.put("tokens", tokens);
    figures.put("tokens_per_s", tokens / best);
    figures.put("socket_to_in_process", median(direct) / median(socket));
  }

  private static double median(double[] seconds) {
    return Medians.median(DoubleStream.of(seconds)).orElseThrow();
  }

  private void extractDirectly(List<Item> items) {
    CompletableFuture<Void> end = new CompletableFuture<>();
    FeatureRequest request =
        new FeatureRequest(
            Optional.of(model),
            Optional.of(dev.graft.server.extraction.Pooling.MEAN),
            OptionalInt.empty(),
            false,
            dtype,
            0,
            false);
    try (var job =
        new dev.graft.server.jobs.ExtractJob(
            worker.services().resources(), request, Optional.empty(), new UntilEnd(end))) {
      for (Item item : items) {
        job.add(item.getNumber(), new Content.Text(item.getContent().getText()));
      }
      job.end();
      end.join();
    }
  }

  private void loadBackbone(Item item) throws IOException {
    double start = System.nanoTime() / 1e9;
    ExtractSpec spec = ExtractSpec.newBuilder().setFeatures(features(Pooling.POOLING_LAST)).build();
    ItemResult first =
        client.extractAsync(ExtractJob.of(spec), List.of(item)).join().results().get(0);
    figures.put("load_s", System.nanoTime() / 1e9 - start);
    figures.put("first_feature_s", ProcessFigures.secondsSinceStart());
    figures.put("feature_size", first.getFeatures().getShape(0));
    figures.put("dtype", resolvedDtype().name());
  }

  private ComputeDtype resolvedDtype() {
    return dtype.orElse(worker.services().resources().defaultComputeDtype());
  }

  private FeatureSpec features(Pooling pooling) {
    return FeatureSpec.newBuilder().setBackbone(backbone()).setPooling(pooling).build();
  }

  private Backbone backbone() {
    return Backbone.newBuilder().setPath(model).build();
  }

  /** Prints what was measured, as one line of JSON. */
  void print(PrintStream out) throws IOException {
    figures.put("peak_rss_mib", ProcessFigures.peakMemoryMebibytes());
    out.println(Measurement.JSON.writeValueAsString(figures));
  }

  @Override
  public void close() {
    client.close();
    worker.close();
  }

  private record UntilEnd(CompletableFuture<Void> end)
      implements dev.graft.server.jobs.ExtractJob.Listener {
    @Override
    public void onResults(List<dev.graft.server.jobs.ExtractJob.Result> results) {}

    @Override
    public void onEnd() {
      end.complete(null);
    }

    @Override
    public void onFailure(Throwable error) {
      end.completeExceptionally(error);
    }
  }
}
