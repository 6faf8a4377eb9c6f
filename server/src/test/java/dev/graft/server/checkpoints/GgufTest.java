package dev.graft.server.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.GraftException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufTest {
  private static final int F32 = 0;
  private static final int Q4_0 = 2;
  private static final int Q4_K = 12;

  @TempDir private Path directory;

  @Test
  void readsWhatLlamaCppWrote() throws Exception {
    Path file = Path.of(GgufTest.class.getResource("/gguf/llama-tiny.q4_k_m.gguf").toURI());

    Gguf gguf = Gguf.open(file);

    assertThat(gguf.metadata().text("general.architecture")).isEqualTo("llama");
    assertThat(gguf.metadata().integer("llama.attention.key_length", 1, 100)).isEqualTo(32);
    assertThat(gguf.metadata().number("llama.attention.layer_norm_rms_epsilon")).isEqualTo(1e-5);
    assertThat(gguf.metadata().texts("tokenizer.ggml.tokens").orElseThrow())
        .hasSize(300)
        .startsWith("<|endoftext|>", "<|im_start|>");
    assertThat(gguf.tensors()).hasSize(21);
    GgufTensor embeddings = gguf.tensors().get("token_embd.weight");
    assertThat(embeddings.type()).isEqualTo(GgmlType.Q4_K);
    assertThat(embeddings.shape()).containsExactly(300, 256);
    assertThat(embeddings.entry().shape()).containsExactly(300, 144);
    assertThat(embeddings.entry().bytes()).isEqualTo(300 * 144);
    assertThat(embeddings.entry().offset() % 32).isZero();
  }

  @Test
  void readsWhatTheWriterWrote() throws IOException {
    Map<String, Object> metadata = new LinkedHashMap<>();
    metadata.put("text", "\u00e9\u0000");
    metadata.put("flag", true);
    metadata.put("whole", 7);
    metadata.put("long", 1L << 40);
    metadata.put("real", 0.1f);
    metadata.put("texts", List.of("", "a"));
    metadata.put("integers", new int[] {-1, 2});
    metadata.put("floats", new float[] {0.5f});
    Path file = directory.resolve("written.gguf");
    try (GgufWriter writer =
        GgufWriter.create(
            file,
            metadata,
            List.of(
                new GgufWriter.Tensor("a", GgmlType.F32, List.of(3L)),
                new GgufWriter.Tensor("b", GgmlType.Q8_0, List.of(2L, 32L))))) {
      writer.write("b", 0, ByteBuffer.wrap(new byte[] {5, 6}));
      writer.write("a", 0, ByteBuffer.allocate(8));
      writer.write("b", 2, ByteBuffer.allocate(66));
      writer.write("a", 8, ByteBuffer.allocate(4));
      writer.finish();
    }

    Gguf gguf = Gguf.open(file);

    GgufMetadata read = gguf.metadata();
    assertThat(read.keys()).containsExactlyElementsOf(metadata.keySet());
    assertThat(read.text("text")).isEqualTo("\u00e9\u0000");
    assertThat(read.flag("flag", false)).isTrue();
    assertThat(read.integer("whole", 0, 9)).isEqualTo(7);
    assertThat(read.integer("long", 0, Long.MAX_VALUE)).isEqualTo(1L << 40);
    assertThat(read.number("real")).isEqualTo(0.1);
    assertThat(read.texts("texts")).contains(List.of("", "a"));
    assertThat(read.integers("integers").orElseThrow()).containsExactly(-1, 2);
    assertThat(read.floats("floats").orElseThrow()).containsExactly(0.5f);
    assertThat(gguf.tensors()).containsOnlyKeys("a", "b");
    assertThat(gguf.tensors().get("b").shape()).containsExactly(2, 32);
    assertThat(gguf.tensors().get("b").entry().read().get(1)).isEqualTo((byte) 6);
  }

  @Test
  void readsVersionTwo() {
    Path file = GgufBytes.header(2, 0, 0).write(directory.resolve("two.gguf"));

    assertThat(Gguf.open(file).tensors()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 4, 0xffff_ffffL})
  void refusesOtherVersions(long version) {
    GraftException error = refuse(GgufBytes.header(version, 0, 0));

    assertThat(error.reason()).isEqualTo("UNSUPPORTED_FORMAT");
    assertThat(error).hasMessageContaining("of version " + version);
  }

  @Test
  void refusesBigEndian() {
    assertThat(refuse(GgufBytes.header(0x0300_0000, 0, 0)))
        .hasMessageContaining("is big-endian GGUF");
  }

  @Test
  void refusesAnotherFile() {
    assertThat(corrupt(new GgufBytes().raw("PK\3\4").zeros(64)))
        .hasMessageContaining("does not begin with GGUF");
  }

  @Test
  void refusesAnEmptyFile() {
    assertThat(corrupt(new GgufBytes())).hasMessageContaining("does not begin with GGUF");
  }

  @Test
  void refusesAFileThatEndsAmidItsHeader() {
    assertThat(corrupt(new GgufBytes().raw("GGUF").u32(3).u32(0)))
        .hasMessageContaining("ends amid its header");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 1L << 32, 1L << 60, -1})
  void refusesMoreTensorsThanTheFileHolds(long count) {
    assertThat(corrupt(GgufBytes.header(3, count, 0)))
        .hasMessageContaining(
            "claims %s tensors, more than it can hold".formatted(Long.toUnsignedString(count)));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 1L << 60, Long.MIN_VALUE})
  void refusesMoreMetadataThanTheFileHolds(long count) {
    assertThat(corrupt(GgufBytes.header(3, 0, count)))
        .hasMessageContaining("metadata entries, more than it can hold");
  }

  @ParameterizedTest
  @ValueSource(longs = {100, 1L << 31, 1L << 60, -1})
  void refusesTextsLongerThanTheFile(long length) {
    GgufBytes file =
        GgufBytes.header(3, 0, 1).text("key").u32(GgufBytes.STRING).u64(length).raw("abc");

    assertThat(corrupt(file)).hasMessageContaining("bytes for the value of key");
  }

  @ParameterizedTest
  @ValueSource(longs = {100, 1L << 31, 1L << 60, -1})
  void refusesKeysLongerThanTheFile(long length) {
    assertThat(corrupt(GgufBytes.header(3, 0, 1).u64(length).raw("abc").zeros(16)))
        .hasMessageContaining("bytes for the key");
  }

  @ParameterizedTest
  @ValueSource(longs = {100, 1L << 31, 1L << 60, -1})
  void refusesArraysLongerThanTheFile(long count) {
    GgufBytes file =
        GgufBytes.header(3, 0, 1)
            .text("key")
            .u32(GgufBytes.ARRAY)
            .u32(GgufBytes.STRING)
            .u64(count)
            .zeros(16);

    assertThat(corrupt(file)).hasMessageContaining("elements of key, more than it can hold");
  }

  @Test
  void refusesTextsInArraysLongerThanTheFile() {
    GgufBytes file =
        GgufBytes.header(3, 0, 1)
            .text("key")
            .u32(GgufBytes.ARRAY)
            .u32(GgufBytes.STRING)
            .u64(2)
            .text("fine")
            .u64(1L << 60)
            .zeros(32);

    assertThat(corrupt(file)).hasMessageContaining("bytes for the element of key");
  }

  @Test
  void refusesArraysOfArrays() {
    GgufBytes file =
        GgufBytes.header(3, 0, 1)
            .text("key")
            .u32(GgufBytes.ARRAY)
            .u32(GgufBytes.ARRAY)
            .u64(1)
            .zeros(16);

    assertThat(corrupt(file)).hasMessageContaining("is an array of arrays");
  }

  @Test
  void refusesUnknownTypesOfValues() {
    assertThat(corrupt(GgufBytes.header(3, 0, 1).text("key").u32(13).zeros(16)))
        .hasMessageContaining("key key has unknown type 13");
  }

  @Test
  void refusesFlagsThatAreNone() {
    assertThat(corrupt(GgufBytes.header(3, 0, 1).text("key").u32(7).raw("\2")))
        .hasMessageContaining("key key is 2 where 0 or 1 must be");
  }

  @Test
  void refusesInvalidUtf8() {
    assertThat(corrupt(GgufBytes.header(3, 0, 1).u64(1).raw("\377").u32(4).u32(0)))
        .hasMessageContaining("not valid UTF-8");
  }

  @Test
  void refusesDuplicateKeys() {
    assertThat(corrupt(GgufBytes.header(3, 0, 2).alignment(32).alignment(32)))
        .hasMessageContaining("has the key general.alignment twice");
  }

  @Test
  void refusesDuplicateTensors() {
    assertThat(
            corrupt(
                GgufBytes.header(3, 2, 0)
                    .tensor("a", F32, 0, 8)
                    .tensor("a", F32, 32, 8)
                    .padded(32)
                    .zeros(64)))
        .hasMessageContaining("tensor a: is there twice");
  }

  @Test
  void refusesLongNames() {
    assertThat(corrupt(GgufBytes.header(3, 1, 0).tensor("a".repeat(64), F32, 0, 1).zeros(64)))
        .hasMessageContaining("more than the limit of 63");
  }

  @Test
  void refusesFiveDimensions() {
    assertThat(corrupt(GgufBytes.header(3, 1, 0).tensor("a", F32, 0, 1, 1, 1, 1, 1).zeros(64)))
        .hasMessageContaining("has 5 dimensions");
  }

  @Test
  void refusesCountlessDimensions() {
    assertThat(corrupt(GgufBytes.header(3, 1, 0).text("a").u32(0xffff_ffffL).zeros(64)))
        .hasMessageContaining("has 4294967295 dimensions");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 4, 33, 96, 0x8000_0000L})
  void refusesAlignmentsThatAreNone(long alignment) {
    assertThat(corrupt(GgufBytes.header(3, 0, 1).alignment(alignment)))
        .hasMessageContaining("general.alignment");
  }

  @Test
  void readsOtherAlignments() {
    Path file =
        GgufBytes.header(3, 1, 1)
            .alignment(64)
            .tensor("a", F32, 0, 1)
            .padded(64)
            .zeros(4)
            .write(directory.resolve("aligned.gguf"));

    assertThat(Gguf.open(file).tensors().get("a").entry().offset() % 64).isZero();
  }

  @Test
  void refusesRowsThatAreNoWholeBlocks() {
    assertThat(corrupt(GgufBytes.header(3, 1, 0).tensor("a", Q4_0, 0, 33, 32).zeros(4096)))
        .hasMessageContaining("tensor a: has rows of 33 values, which are no whole blocks of Q4_0");
  }

  @Test
  void refusesSizesThatOverflow() {
    assertThat(
            corrupt(GgufBytes.header(3, 1, 0).tensor("a", Q4_K, 0, 1L << 32, 1L << 32).zeros(64)))
        .hasMessageContaining("tensor a: is larger than the file");
  }

  @Test
  void refusesNegativeSizes() {
    assertThat(corrupt(GgufBytes.header(3, 1, 0).tensor("a", F32, 0, -1).zeros(64)))
        .hasMessageContaining("tensor a: is larger than the file");
  }

  @ParameterizedTest
  @ValueSource(longs = {16, 64, 1L << 60, -32})
  void refusesOffsetsThatLeaveHolesOrOverlap(long offset) {
    assertThat(
            corrupt(
                GgufBytes.header(3, 2, 0)
                    .tensor("a", F32, 0, 8)
                    .tensor("b", F32, offset, 8)
                    .padded(32)
                    .zeros(256)))
        .hasMessageContaining("tensor b: begins at offset")
        .hasMessageContaining("where 32 must be");
  }

  @Test
  void refusesACutFile() {
    assertThat(
            corrupt(
                GgufBytes.header(3, 2, 0)
                    .tensor("a", F32, 0, 8)
                    .tensor("b", F32, 32, 8)
                    .padded(32)
                    .zeros(63)))
        .hasMessageContaining("tensor b: ends after the file");
  }

  @Test
  void refusesAFileWithoutItsData() {
    assertThat(corrupt(GgufBytes.header(3, 1, 0).tensor("a", F32, 0, 1)))
        .hasMessageContaining("tensor a: ends after the file");
  }

  @Test
  void refusesTypesThatAreNotRead() {
    GraftException error = refuse(GgufBytes.header(3, 1, 0).tensor("a", 16, 0, 256).zeros(256));

    assertThat(error.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(error.metadata()).containsEntry("tensor", "a").containsEntry("value", "16");
  }

  @Test
  void refusesPartsOfASplitFile() {
    GraftException error =
        refuse(GgufBytes.header(3, 0, 1).text("split.count").u32(GgufBytes.UINT32).u32(3));

    assertThat(error.reason()).isEqualTo("UNSUPPORTED_FORMAT");
    assertThat(error).hasMessageContaining("llama-gguf-split --merge");
  }

  private GraftException corrupt(GgufBytes file) {
    GraftException error = refuse(file);
    assertThat(error.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(error.metadata()).containsKey("file");
    return error;
  }

  private GraftException refuse(GgufBytes file) {
    Path path = file.write(directory.resolve("hostile.gguf"));
    return GraftExceptions.from(() -> Gguf.open(path));
  }
}
