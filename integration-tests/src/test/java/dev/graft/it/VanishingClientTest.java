package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.graft.client.GraftClient;
import dev.graft.client.Items;
import dev.graft.client.TrainJob;
import dev.graft.server.rpc.Worker;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.EndOfData;
import dev.graft.v1.ExtractRequest;
import dev.graft.v1.ExtractResponse;
import dev.graft.v1.ExtractServiceGrpc;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.FileChunk;
import dev.graft.v1.ItemBatch;
import dev.graft.v1.Objective;
import dev.graft.v1.Pooling;
import dev.graft.v1.Projector;
import dev.graft.v1.ProjectorKind;
import dev.graft.v1.TrainRequest;
import dev.graft.v1.TrainResponse;
import dev.graft.v1.TrainServiceGrpc;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainedProjector;
import dev.graft.v1.TrainingArguments;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Clients whose connection breaks in the middle of a call, and clients that do not read. */
class VanishingClientTest {
  private static final int ITEMS_PER_MESSAGE = 100;

  /** Features without pooling of one item: 40 tokens of 48 floats. */
  private static final int TOKENS = 40;

  private static final int RESULT_BYTES = TOKENS * 48 * Float.BYTES;

  private static Worker worker;
  private static ManagedChannel direct;
  private static GraftClient client;
  private static ByteString projectorFile;

  private BreakableConnection connection;
  private ManagedChannel channel;

  @BeforeAll
  static void startWorker() throws IOException {
    worker =
        Worker.start(
            new WorkerOptions()
                .listen("127.0.0.1", 0)
                .modelRoots(List.of(TinyModel.ROOT))
                .lanes(2)
                .tokensPerBatch(128)
                .cacheMemoryBytes(0));
    direct = channel(worker.port());
    client = GraftClient.builder(direct).build();
    projectorFile =
        client
            .trainAsync(TrainJob.of(trainSpec(2), TinyModel.labelled(8, 1)))
            .join()
            .projectorFile();
  }

  @AfterAll
  static void stopWorker() {
    client.close();
    direct.shutdownNow();
    worker.close();
  }

  @BeforeEach
  void connect() {
    connection = BreakableConnection.to(worker.port());
    channel = channel(connection.port());
  }

  @AfterEach
  void theWorkerIsFreeAgain() {
    disconnect();
    awaitNoCalls();
    assertThat(
            client
                .trainAsync(TrainJob.of(trainSpec(2), TinyModel.labelled(8, 1)))
                .join()
                .projectorFile())
        .isEqualTo(projectorFile);
  }

  private void disconnect() {
    channel.shutdownNow();
    connection.close();
  }

  @Test
  void aConnectionThatBreaksDuringTheUpload() throws Exception {
    breakDuringUpload();
  }

  @Test
  void aConnectionThatBreaksDuringTheProjectorsUpload() throws Exception {
    RawCall<ExtractRequest, ExtractResponse> call = extract();
    call.send(specWithProjector());
    call.send(projectorChunk(0, projectorFile.size() / 2));
    awaitCalls(1);
    connection.cut();
    assertThat(call.outcome().status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void aConnectionThatBreaksWhileResultsWait() throws Exception {
    RawCall<ExtractRequest, ExtractResponse> call = extract();
    fill(call);
    connection.cut();
    assertThat(call.outcome().status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void aConnectionThatBreaksDuringTraining() throws Exception {
    breakDuringTraining();
  }

  @Test
  void aClientThatDoesNotReadIsNotServedAhead() throws Exception {
    RawCall<ExtractRequest, ExtractResponse> call = extract();
    long sent = fill(call);
    // All that was taken is answered once the client reads.
    assertThat(call.halfClose().outcome().status().getCode()).isEqualTo(Status.Code.OK);
    long rows =
        call.responses().stream()
            .flatMap(response -> response.getResults().getResultsList().stream())
            .mapToLong(result -> result.getFeatures().getShape(0))
            .sum();
    assertThat(rows).isEqualTo(sent * TOKENS);
  }

  /** What a lane is at work with must not be freed, although nobody waits for it any more. */
  @Test
  void cancelledCallsDoNotFreeWhatLanesWorkWith() throws Exception {
    List<String> models = List.of("bert", "gpt2", "llama_base", "llama_mha", "qwen2", "qwen3");
    for (int i = 0; i < 60; i++) {
      // So many models that one is let go with each call.
      ExtractRequest.Builder spec = specWithProjector().toBuilder();
      spec.getSpecBuilder()
          .getFeaturesBuilder()
          .getBackboneBuilder()
          .setPath(models.get(i % models.size()));
      RawCall<ExtractRequest, ExtractResponse> call = extract();
      call.send(spec.build());
      sendProjector(call);
      for (int message = 0; message < 10; message++) {
        call.send(items(message));
      }
      assertThat(call.next().hasReady()).isTrue();
      assertThat(call.next().hasResults()).isTrue();
      call.cancel();
      assertThat(call.outcome().status().getCode()).isEqualTo(Status.Code.CANCELLED);
    }
    awaitNoCalls();
    assertThat(client.describe().getLoadedBackbonesCount()).isLessThanOrEqualTo(4);
  }

  @Test
  void manyBrokenConnectionsLeaveNeitherThreadsNorMemory() throws Exception {
    for (int i = 0; i < 10; i++) {
      breakDuringAll();
    }
    long graftThreads = threads("graft-");
    long grpcThreads = threads("grpc-");
    long bytes = nativeBytes();
    for (int i = 0; i < 50; i++) {
      breakDuringAll();
    }
    assertThat(threads("graft-")).isEqualTo(graftThreads);
    // A pool that keeps idle threads for a minute; a thread for each broken call would be 100.
    assertThat(threads("grpc-")).isLessThanOrEqualTo(grpcThreads + 8);
    // What a training has of its own is about 6 MiB, and a loaded projector 1.6 MiB.
    assertThat(nativeBytes() - bytes).isLessThan(128L << 20);
  }

  private void breakDuringAll() throws Exception {
    breakDuringUpload();
    reconnect();
    breakDuringTraining();
    reconnect();
    awaitNoCalls();
  }

  private void reconnect() {
    disconnect();
    connect();
  }

  private void breakDuringUpload() throws Exception {
    RawCall<ExtractRequest, ExtractResponse> call = extract();
    call.send(specWithProjector());
    sendProjector(call);
    assertThat(call.next().hasReady()).isTrue();
    for (int i = 0; i < 20; i++) {
      call.send(items(i));
    }
    assertThat(call.next().hasResults()).isTrue();
    connection.cut();
    assertThat(call.outcome().status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
  }

  private void breakDuringTraining() throws Exception {
    RawCall<TrainRequest, TrainResponse> call =
        RawCall.open(channel, TrainServiceGrpc.getTrainMethod());
    call.send(TrainRequest.newBuilder().setSpec(trainSpec(1_000_000_000)).build());
    call.send(
        TrainRequest.newBuilder()
            .setTrainItems(ItemBatch.newBuilder().addAllItems(TinyModel.labelled(8, 1)))
            .build());
    call.send(TrainRequest.newBuilder().setEndOfData(EndOfData.getDefaultInstance()).build());
    while (!call.next().hasLog()) {}
    connection.cut();
    assertThat(call.outcome().status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
  }

  /** Sends items and reads nothing until the worker takes no more; tells how many it took. */
  private static long fill(RawCall<ExtractRequest, ExtractResponse> call) throws Exception {
    call.send(
        ExtractRequest.newBuilder()
            .setSpec(ExtractSpec.newBuilder().setFeatures(TinyModel.features(Pooling.POOLING_NONE)))
            .build());
    long messages = 0;
    while (call.awaitReady(2, TimeUnit.SECONDS)) {
      call.send(items(messages));
      messages++;
      // Requests wait in the connection's buffers too, a megabyte or two of them. Results of all
      // these would take 600 MB.
      assertThat(messages).as("messages taken").isLessThan(800);
    }
    assertThat(messages * ITEMS_PER_MESSAGE * RESULT_BYTES)
        .as("it was the worker that stopped, not the buffer before it")
        .isGreaterThan(4L << 20);
    return messages * ITEMS_PER_MESSAGE;
  }

  private RawCall<ExtractRequest, ExtractResponse> extract() {
    return RawCall.open(channel, ExtractServiceGrpc.getExtractMethod());
  }

  private static ExtractRequest items(long message) {
    ItemBatch.Builder batch = ItemBatch.newBuilder();
    int[] ids = new int[TOKENS];
    for (int i = 0; i < ITEMS_PER_MESSAGE; i++) {
      ids[i % TOKENS] = (int) (message + i) % TinyModel.VOCABULARY;
      batch.addItems(Items.tokenIds(message * ITEMS_PER_MESSAGE + i, ids));
    }
    return ExtractRequest.newBuilder().setItems(batch).build();
  }

  private static ExtractRequest specWithProjector() {
    return ExtractRequest.newBuilder()
        .setSpec(
            ExtractSpec.newBuilder()
                .setFeatures(TinyModel.features())
                .setProjector(
                    TrainedProjector.newBuilder()
                        .setProjector(projector())
                        .setFileBytes(projectorFile.size())))
        .build();
  }

  private static void sendProjector(RawCall<ExtractRequest, ExtractResponse> call) {
    int half = projectorFile.size() / 2;
    call.send(projectorChunk(0, half)).send(projectorChunk(half, projectorFile.size()));
  }

  private static ExtractRequest projectorChunk(int start, int end) {
    return ExtractRequest.newBuilder()
        .setProjectorFile(
            FileChunk.newBuilder()
                .setOffset(start)
                .setTotalBytes(projectorFile.size())
                .setData(projectorFile.substring(start, end)))
        .build();
  }

  private static Projector projector() {
    return Projector.newBuilder()
        .setKind(ProjectorKind.PROJECTOR_KIND_MLP)
        .addHiddenSizes(8192)
        .build();
  }

  private static TrainSpec trainSpec(long steps) {
    return TrainSpec.newBuilder()
        .setFeatures(TinyModel.features())
        .setProjector(projector())
        .setObjective(
            Objective.newBuilder().setCrossEntropy(CrossEntropy.newBuilder().setNumClasses(3)))
        .setArguments(TrainingArguments.newBuilder().setMaxSteps(steps).setLoggingSteps(1))
        .build();
  }

  private static ManagedChannel channel(int port) {
    return NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
  }

  private static void awaitNoCalls() {
    awaitCalls(0);
  }

  /** Asks until the worker has so many calls under way, which it learns of by the network. */
  private static void awaitCalls(int count) {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (client.describe().getActiveCalls() != count) {
      assertThat(System.nanoTime()).as("%d calls under way", count).isLessThan(end);
    }
  }

  private static long threads(String prefix) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith(prefix))
        .count();
  }

  /** Memory of the process without Java's heap. */
  private static long nativeBytes() throws IOException {
    System.gc();
    long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getCommitted();
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) * 1024 - heap;
      }
    }
    throw new AssertionError("no VmRSS");
  }
}
