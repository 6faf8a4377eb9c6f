package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.client.CallCancelledException;
import dev.graft.client.ExtractJob;
import dev.graft.client.GraftClient;
import dev.graft.client.GraftRpcException;
import dev.graft.client.QuantizeCall;
import dev.graft.client.QuantizeEvent;
import dev.graft.client.Tensors;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.v1.Backbone;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.Pooling;
import dev.graft.v1.QuantizationScheme;
import dev.graft.v1.QuantizeRequest;
import dev.graft.v1.QuantizeResult;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a worker makes of backbones, seen from a client; the same over every transport. */
@Timeout(120)
abstract class QuantizeScenarios {
  /** Its rows are whole blocks of GGUF's types. */
  private static final String WIDER_MODEL = "llama_gqa";

  @TempDir Path writable;

  private WorkerUnderTest worker;
  private GraftClient client;

  abstract WorkerUnderTest start(WorkerOptions options);

  @BeforeEach
  void startWorker() {
    worker =
        start(
            new WorkerOptions()
                .modelRoots(List.of(TinyModel.ROOT, writable))
                .writableRoots(List.of(writable))
                .lanes(2));
    client = worker.client();
  }

  @AfterEach
  void stopWorker() {
    client.close();
    worker.close();
  }

  private static QuantizeRequest.Builder request(QuantizationScheme scheme) {
    return QuantizeRequest.newBuilder()
        .setSource(Backbone.newBuilder().setPath(TinyModel.NAME))
        .setScheme(scheme);
  }

  @Test
  void theWorkerTellsWhatItWritesAndWhere() throws IOException {
    assertThat(client.describe().getSupportedSchemesList())
        .contains(
            QuantizationScheme.QUANTIZATION_SCHEME_NONE,
            QuantizationScheme.QUANTIZATION_SCHEME_NF4,
            QuantizationScheme.QUANTIZATION_SCHEME_FP4,
            QuantizationScheme.QUANTIZATION_SCHEME_INT8);
    assertThat(client.describe().getWritableRootsList())
        .containsExactly(writable.toRealPath().toString());
  }

  @Test
  void whatWasMadeIsServedAndDecodedAgain() {
    QuantizeRequest nf4 =
        request(QuantizationScheme.QUANTIZATION_SCHEME_NF4)
            .setDoubleQuantization(true)
            .setDestination("nf4")
            .build();
    QuantizeResult made = client.quantizeAsync(nf4).join();
    assertThat(made.getRelativeError()).isBetween(0.01, 0.2);
    assertThat(made.getResultBytes()).isLessThan(made.getSourceBytes());
    client
        .quantizeAsync(
            QuantizeRequest.newBuilder()
                .setSource(Backbone.newBuilder().setPath("nf4"))
                .setScheme(QuantizationScheme.QUANTIZATION_SCHEME_NONE)
                .setDestination("plain")
                .build())
        .join();
    // The same weights, packed and decoded.
    assertThat(feature("nf4"))
        .usingComparatorWithPrecision(1e-4f)
        .containsExactly(feature("plain"));
    assertThat(client.describe().getLoadedBackbonesList())
        .anyMatch(loaded -> loaded.getDigest().equals(made.getDigest()));
  }

  private float[] feature(String backbone) {
    ExtractSpec.Builder spec =
        ExtractSpec.newBuilder().setFeatures(TinyModel.features(Pooling.POOLING_LAST));
    spec.getFeaturesBuilder().setBackbone(Backbone.newBuilder().setPath(backbone));
    return Tensors.toFloats(
        client
            .extractAsync(ExtractJob.of(spec.build()), TinyModel.goldenItems("right").subList(0, 1))
            .join()
            .results()
            .get(0)
            .getFeatures());
  }

  @Test
  void withoutDestinationTheSameFilesComeBack() throws IOException {
    QuantizeRequest.Builder request = request(QuantizationScheme.QUANTIZATION_SCHEME_INT8);
    client.quantizeAsync(request.clone().setDestination("made").build()).join();
    assertSameFiles(streamed(request.build()), writable.resolve("made"));
  }

  @Test
  void aGgufFileIsSentBackOrWrittenAndServed() throws IOException {
    QuantizeRequest.Builder request =
        request(QuantizationScheme.QUANTIZATION_SCHEME_Q8_0)
            .setSource(Backbone.newBuilder().setPath(WIDER_MODEL));
    QuantizeResult made =
        client.quantizeAsync(request.clone().setDestination("made").build()).join();
    assertThat(made.getRelativeError()).isBetween(1e-4, 0.01);
    Map<String, byte[]> files = streamed(request.build());
    assertThat(files).containsOnlyKeys("model-Q8_0.gguf");
    assertSameFiles(files, writable.resolve("made"));

    float[] served = feature("made");
    assertThat(feature("made/model-Q8_0.gguf")).containsExactly(served);
    assertThat(served).isNotEqualTo(feature(WIDER_MODEL));
    assertThat(served).usingComparatorWithPrecision(0.1f).containsExactly(feature(WIDER_MODEL));
  }

  private Map<String, byte[]> streamed(QuantizeRequest request) throws IOException {
    Map<String, ByteArrayOutputStream> files = new TreeMap<>();
    try (QuantizeCall call = client.quantize(request)) {
      while (call.hasNext()) {
        if (call.next() instanceof QuantizeEvent.FilePart file) {
          file.part()
              .getChunk()
              .getData()
              .writeTo(
                  files.computeIfAbsent(
                      file.part().getName(), name -> new ByteArrayOutputStream()));
        }
      }
    }
    Map<String, byte[]> whole = new TreeMap<>();
    files.forEach((name, bytes) -> whole.put(name, bytes.toByteArray()));
    return whole;
  }

  private static void assertSameFiles(Map<String, byte[]> files, Path made) throws IOException {
    try (Stream<Path> written = Files.list(made)) {
      assertThat(files.keySet())
          .containsExactlyInAnyOrderElementsOf(
              written.map(path -> path.getFileName().toString()).toList());
    }
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      assertThat(made.resolve(file.getKey())).hasBinaryContent(file.getValue());
    }
  }

  @Test
  void placesThatAreNotToBeWrittenAreRefused() throws IOException {
    Files.createDirectory(writable.resolve("there"));
    Map.of(
            "there",
            "DESTINATION_EXISTS",
            "../beside",
            "OUTSIDE_WRITABLE_ROOTS",
            TinyModel.ROOT.resolve("new").toString(),
            "OUTSIDE_WRITABLE_ROOTS",
            "no/parent",
            "INVALID_DESTINATION")
        .forEach(
            (destination, reason) ->
                assertRefused(
                    request(QuantizationScheme.QUANTIZATION_SCHEME_NF4).setDestination(destination),
                    reason));
    assertThat(left()).containsExactly("there");
  }

  @Test
  void requestsThatMakeNoSenseAreRefused() {
    assertRefused(request(QuantizationScheme.QUANTIZATION_SCHEME_UNSPECIFIED), "INVALID_SPEC");
    assertRefused(
        request(QuantizationScheme.QUANTIZATION_SCHEME_NF4).setBlockSize(48), "INVALID_SPEC");
    assertRefused(
        request(QuantizationScheme.QUANTIZATION_SCHEME_INT8).setDoubleQuantization(true),
        "INVALID_SPEC");
    assertRefused(
        request(QuantizationScheme.QUANTIZATION_SCHEME_NF4).addSkipModules("(a+)+$"),
        "INVALID_SPEC");
    assertRefused(
        request(QuantizationScheme.QUANTIZATION_SCHEME_NF4)
            .setSource(Backbone.newBuilder().setPath("nowhere")),
        "BACKBONE_NOT_FOUND");
  }

  private void assertRefused(QuantizeRequest.Builder request, String reason) {
    try (QuantizeCall call = client.quantize(request.build())) {
      assertThatThrownBy(call::hasNext)
          .isInstanceOfSatisfying(
              GraftRpcException.class, e -> assertThat(e.reason()).isEqualTo(reason));
    }
    assertThat(client.describe().getActiveCalls()).isZero();
  }

  @Test
  void aCancelledCallLeavesNothing() throws Exception {
    QuantizeRequest request =
        request(QuantizationScheme.QUANTIZATION_SCHEME_NF4).setDestination("made").build();
    try (QuantizeCall call = client.quantize(request)) {
      call.cancel();
      assertThatThrownBy(call::hasNext).isInstanceOf(CallCancelledException.class);
    }
    worker.drain(); // waits for the call, and for its cleaning up
    assertThat(left()).allMatch("made"::equals); // all of it if it was faster, and else nothing
  }

  private List<String> left() throws IOException {
    try (Stream<Path> paths = Files.list(writable)) {
      return paths.map(path -> path.getFileName().toString()).toList();
    }
  }
}
