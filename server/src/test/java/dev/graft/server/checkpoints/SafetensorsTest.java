package dev.graft.server.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.graft.server.GraftException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
  private static final String LINEAR =
      "{"
          + SafetensorsBytes.entry("weight", "F32", "[2,3]", 0, 24)
          + ","
          + SafetensorsBytes.entry("bias", "F32", "[2]", 24, 32)
          + "}";

  @TempDir private Path directory;

  @Test
  void readsWhatPythonWrote() {
    Path file =
        SafetensorsBytes.write(
            directory.resolve("linear.safetensors"),
            SafetensorsBytes.fixture("linear.safetensors"));

    Safetensors<TensorEntry> opened = Safetensors.open(file);

    assertThat(opened.tensors()).containsOnlyKeys("bias", "weight");
    TensorEntry weight = opened.tensors().get("weight");
    assertThat(weight.type()).isEqualTo(StoredType.F32);
    assertThat(weight.shape()).containsExactly(2, 3);
    assertThat(weight.file()).isEqualTo(file);
    assertThat(weight.bytes()).isEqualTo(24);
    assertThat(weight.offset()).isEqualTo(160 - 24);
    float[] values = new float[6];
    weight.read().asFloatBuffer().get(values);
    assertThat(values).containsExactly(0, 1, 2, 3, 4, 5);
  }

  @Test
  void readsTheSameFromMemory() {
    ByteBuffer upload = ByteBuffer.wrap(SafetensorsBytes.fixture("types_metadata.safetensors"));

    Safetensors<TensorData> read = Safetensors.read(upload, GraftExceptions::unexpected);

    assertThat(upload.position()).isZero();
    assertThat(read.metadata()).isEqualTo(Map.of("format", "pt"));
    assertThat(read.tensors()).hasSize(24);
    assertThat(read.tensors().get("scalar").shape()).isEmpty();
    assertThat(read.tensors().get("scalar").toFloats()).containsExactly(1.5f);
    assertThat(read.tensors().get("empty").shape()).containsExactly(0, 3);
    ByteBuffer sixteenBits = read.tensors().get("of.bfloat16").bytes();
    assertThat(sixteenBits.order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
    assertThat(sixteenBits.getShort(2)).isEqualTo((short) 0x0302);
  }

  @Test
  void readsFromTheMiddleOfABuffer() {
    byte[] file = SafetensorsBytes.fixture("linear.safetensors");
    ByteBuffer upload = ByteBuffer.allocateDirect(file.length + 5).position(5).put(file).flip();

    Safetensors<TensorData> read =
        Safetensors.read(upload.position(5), GraftExceptions::unexpected);

    assertThat(read.tensors().get("bias").toFloats()).containsExactly(0.5f, -0.5f);
  }

  @Test
  void aFileWithoutTensorsIsLegal() {
    assertThat(accept(SafetensorsBytes.of("{}", 0)).tensors()).isEmpty();
  }

  @Test
  void emptyAndScalarTensorsAreLegal() {
    String header =
        "{"
            + SafetensorsBytes.entry("none", "F32", "[4,0,9223372036854775807]", 0, 0)
            + ","
            + SafetensorsBytes.entry("one", "I64", "[]", 0, 8)
            + ","
            + SafetensorsBytes.entry("last", "BOOL", "[0]", 8, 8)
            + "}";
    assertThat(accept(SafetensorsBytes.of(header, 8)).tensors())
        .containsOnlyKeys("none", "one", "last");
  }

  @Test
  void unknownKeysOfATensorAreSkipped() {
    String header =
        "{\"a\":{\"more\":{\"x\":[1]},\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}  ";
    assertThat(accept(SafetensorsBytes.of(header, 1)).tensors()).containsOnlyKeys("a");
  }

  @Test
  void truncatedAnywhere() {
    byte[] file = SafetensorsBytes.of(LINEAR, 32);
    for (int length = 0; length < file.length; length++) {
      reject(Arrays.copyOf(file, length));
    }
  }

  @Test
  void truncatedDataNamesTheTensor() {
    GraftException error = reject(SafetensorsBytes.of(LINEAR, 31));
    assertThat(error).hasMessageContaining("bias").hasMessageContaining("truncated");
    assertThat(error.metadata()).containsEntry("tensor", "bias").containsKey("file");
  }

  @Test
  void bytesAfterTheLastTensor() {
    assertThat(reject(SafetensorsBytes.of(LINEAR, 33))).hasMessageContaining("1 bytes that belong");
  }

  @Test
  void headerLongerThanTheLimit() {
    assertThat(reject(SafetensorsBytes.withLength(100_000_001, new byte[] {'{'}, 0)))
        .hasMessageContaining("limit of 100000000");
  }

  @Test
  void headerLengthWithTheHighestBitSet() {
    assertThat(reject(SafetensorsBytes.withLength(-1, new byte[] {'{'}, 0)))
        .hasMessageContaining("18446744073709551615");
  }

  @Test
  void headerLongerThanTheFile() {
    assertThat(reject(SafetensorsBytes.withLength(99_999_999, new byte[] {'{'}, 0)))
        .hasMessageContaining("truncated");
  }

  @Test
  void uploadsMayOnlyHaveSmallHeaders() {
    byte[] header = new byte[(8 << 20) + 1];
    Arrays.fill(header, (byte) ' ');
    assertThat(rejectUpload(SafetensorsBytes.of(header, 0))).hasMessageContaining("limit");
  }

  @Test
  void overlappingTensors() {
    String header =
        "{"
            + SafetensorsBytes.entry("a", "U8", "[4]", 0, 4)
            + ","
            + SafetensorsBytes.entry("b", "U8", "[4]", 3, 7)
            + "}";
    assertThat(reject(SafetensorsBytes.of(header, 7))).hasMessageContaining("tensor b: ");
    assertThat(reject(SafetensorsBytes.of(header, 7))).hasMessageContaining("overlaps");
  }

  @Test
  void tensorsInTheSamePlace() {
    String header =
        "{"
            + SafetensorsBytes.entry("a", "U8", "[4]", 0, 4)
            + ","
            + SafetensorsBytes.entry("b", "U8", "[4]", 0, 4)
            + "}";
    assertThat(reject(SafetensorsBytes.of(header, 4))).hasMessageContaining("overlaps");
  }

  @Test
  void aHoleBetweenTensors() {
    String header =
        "{"
            + SafetensorsBytes.entry("a", "U8", "[4]", 0, 4)
            + ","
            + SafetensorsBytes.entry("b", "U8", "[4]", 5, 9)
            + "}";
    assertThat(reject(SafetensorsBytes.of(header, 9))).hasMessageContaining("hole");
  }

  @Test
  void aHoleBeforeTheFirstTensor() {
    String header = "{" + SafetensorsBytes.entry("a", "U8", "[4]", 1, 5) + "}";
    assertThat(reject(SafetensorsBytes.of(header, 5))).hasMessageContaining("hole");
  }

  @Test
  void offsetsBeyondTheEnd() {
    String header = "{" + SafetensorsBytes.entry("a", "U8", "[1048576]", 0, 1 << 20) + "}";
    assertThat(reject(SafetensorsBytes.of(header, 16))).hasMessageContaining("tensor a: ends at");
  }

  @Test
  void offsetsThatRunBackwards() {
    String header = "{" + SafetensorsBytes.entry("a", "U8", "[4]", 4, 0) + "}";
    assertThat(reject(SafetensorsBytes.of(header, 4))).hasMessageContaining("backwards");
  }

  @Test
  void shapeThatDoesNotFitItsBytes() {
    String header = "{" + SafetensorsBytes.entry("a", "F32", "[2,2]", 0, 12) + "}";
    assertThat(reject(SafetensorsBytes.of(header, 12)))
        .hasMessageContaining("F32[2, 2] needs 16 bytes");
  }

  @Test
  void shapeWhoseProductOverflows() {
    // 2^32 * 2^32 would wrap round to 0.
    String header = "{" + SafetensorsBytes.entry("a", "U8", "[4294967296,4294967296]", 0, 0) + "}";
    assertThat(reject(SafetensorsBytes.of(header, 0))).hasMessageContaining("overflows");
  }

  @Test
  void shapeThatOverflowsWithItsType() {
    // 2^61 elements of 8 bytes are 2^64.
    String header = "{" + SafetensorsBytes.entry("a", "F64", "[2305843009213693952]", 0, 0) + "}";
    assertThat(reject(SafetensorsBytes.of(header, 0))).hasMessageContaining("overflows");
  }

  @Test
  void sizesAboveSixtyThreeBits() {
    String header = "{" + SafetensorsBytes.entry("a", "U8", "[18446744073709551616]", 0, 0) + "}";
    assertThat(reject(SafetensorsBytes.of(header, 0))).hasMessageContaining("out of range");
  }

  @Test
  void negativeSizes() {
    String header = "{" + SafetensorsBytes.entry("a", "U8", "[-2,-2]", 0, 4) + "}";
    assertThat(reject(SafetensorsBytes.of(header, 4))).hasMessageContaining("negative number -2");
  }

  @Test
  void fractionalSizes() {
    String header = "{" + SafetensorsBytes.entry("a", "U8", "[4.0]", 0, 4) + "}";
    assertThat(reject(SafetensorsBytes.of(header, 4))).hasMessageContaining("whole numbers");
  }

  @Test
  void moreDimensionsThanAnyTensorHas() {
    String shape = "[1" + ",1".repeat(64) + "]";
    String header = "{" + SafetensorsBytes.entry("a", "U8", shape, 0, 1) + "}";
    assertThat(reject(SafetensorsBytes.of(header, 1))).hasMessageContaining("more than 64");
  }

  @Test
  void threeOffsets() {
    String header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}";
    assertThat(reject(SafetensorsBytes.of(header, 1))).hasMessageContaining("more than 2");
  }

  @Test
  void missingParts() {
    for (String part :
        new String[] {"\"dtype\":\"U8\"", "\"shape\":[0]", "\"data_offsets\":[0,0]"}) {
      assertThat(reject(SafetensorsBytes.of("{\"a\":{" + part + "}}", 0)))
          .hasMessageContaining("tensor a: needs dtype, shape and two data_offsets");
    }
  }

  @Test
  void unknownType() {
    String header = "{" + SafetensorsBytes.entry("a", "F33", "[0]", 0, 0) + "}";
    assertThat(reject(SafetensorsBytes.of(header, 0))).hasMessageContaining("unknown dtype F33");
  }

  @Test
  void twoTensorsOfOneName() {
    String entry = SafetensorsBytes.entry("a", "U8", "[0]", 0, 0);
    assertThat(reject(SafetensorsBytes.of("{" + entry + "," + entry + "}", 0)))
        .hasMessageContaining("Duplicate field 'a'");
  }

  @Test
  void oneNameInTwoSpellings() {
    String header =
        "{"
            + SafetensorsBytes.entry("a", "U8", "[0]", 0, 0)
            + ","
            + SafetensorsBytes.entry("\\u0061", "U8", "[0]", 0, 0)
            + "}";
    assertThat(reject(SafetensorsBytes.of(header, 0))).hasMessageContaining("Duplicate field 'a'");
  }

  @Test
  void aKeyTwiceInsideATensor() {
    String header =
        "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}";
    assertThat(reject(SafetensorsBytes.of(header, 0))).hasMessageContaining("Duplicate field");
  }

  @Test
  void invalidUtf8() {
    byte[] header =
        ("{" + SafetensorsBytes.entry("?", "U8", "[0]", 0, 0) + "}")
            .getBytes(StandardCharsets.UTF_8);
    for (int bad : new int[] {0xff, 0xc0, 0x80, 0xed}) {
      header[2] = (byte) bad;
      assertThat(reject(SafetensorsBytes.of(header, 0))).hasMessageContaining("not valid UTF-8");
    }
  }

  @Test
  void utf16() {
    byte[] header = LINEAR.getBytes(StandardCharsets.UTF_16LE);
    assertThat(reject(SafetensorsBytes.of(header, 32))).hasMessageContaining("not valid JSON");
  }

  @Test
  void halfACharacterAsName() {
    String header = "{" + SafetensorsBytes.entry("\\ud83c", "U8", "[0]", 0, 0) + "}";
    assertThat(reject(SafetensorsBytes.of(header, 0))).hasMessageContaining("not valid Unicode");
  }

  @Test
  void notJson() {
    assertThat(reject(SafetensorsBytes.of("{\"a\":}", 0))).hasMessageContaining("not valid JSON");
  }

  @Test
  void notAnObject() {
    assertThat(reject(SafetensorsBytes.of("[]", 0))).hasMessageContaining("begin with '{'");
    assertThat(reject(SafetensorsBytes.of(" {}", 0))).hasMessageContaining("begin with '{'");
    assertThat(reject(SafetensorsBytes.of("", 0))).hasMessageContaining("begin with '{'");
  }

  @Test
  void moreAfterTheObject() {
    assertThat(reject(SafetensorsBytes.of("{} {}", 0))).hasMessageContaining("goes on");
    assertThat(reject(SafetensorsBytes.of("{}\0", 0))).hasMessageContaining("not valid JSON");
  }

  @Test
  void tensorThatIsNoObject() {
    assertThat(reject(SafetensorsBytes.of("{\"a\":[1]}", 0))).hasMessageContaining("tensor a: is");
  }

  @Test
  void nestedWithoutEnd() {
    String deep = "{\"a\":{\"x\":" + "[".repeat(100_000);
    assertThat(reject(SafetensorsBytes.of(deep, 0))).hasMessageContaining("not valid JSON");
  }

  @Test
  void metadataMayHoldStringsOnly() {
    assertThat(reject(SafetensorsBytes.of("{\"__metadata__\":{\"a\":1}}", 0)))
        .hasMessageContaining("a is not a string");
    assertThat(reject(SafetensorsBytes.of("{\"__metadata__\":[]}", 0)))
        .hasMessageContaining("not an object");
  }

  @Test
  void gitLfsPointer() {
    byte[] pointer =
        "version https://git-lfs.github.com/spec/v1\n".getBytes(StandardCharsets.UTF_8);
    assertThat(reject(pointer)).hasMessageContaining("git lfs pull");
  }

  @Test
  void missingFile() {
    assertThatExceptionOfType(GraftException.class)
        .isThrownBy(() -> Safetensors.open(directory.resolve("none.safetensors")))
        .withMessageContaining("none.safetensors: cannot be read");
  }

  @Test
  void fileThatShrinksAfterItWasOpened() {
    byte[] bytes = SafetensorsBytes.of(LINEAR, 32);
    Path file = SafetensorsBytes.write(directory.resolve("x.safetensors"), bytes);
    TensorEntry bias = Safetensors.open(file).tensors().get("bias");
    SafetensorsBytes.write(file, Arrays.copyOf(bytes, bytes.length - 4));
    assertThatExceptionOfType(GraftException.class)
        .isThrownBy(bias::read)
        .withMessageContaining("bias: the file was cut");
  }

  private Safetensors<TensorEntry> accept(byte[] bytes) {
    Safetensors.read(ByteBuffer.wrap(bytes), GraftExceptions::unexpected);
    return Safetensors.open(SafetensorsBytes.write(directory.resolve("x.safetensors"), bytes));
  }

  /** The error on disk, after it was seen to be the same in memory. */
  private GraftException reject(byte[] bytes) {
    Path file = SafetensorsBytes.write(directory.resolve("x.safetensors"), bytes);
    GraftException onDisk = GraftExceptions.from(() -> Safetensors.open(file));
    assertThat(onDisk.category()).isEqualTo(GraftException.Category.FAILED_PRECONDITION);
    assertThat(onDisk.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(onDisk).hasMessageStartingWith(file + ": ");
    rejectUpload(bytes);
    return onDisk;
  }

  private static GraftException rejectUpload(byte[] bytes) {
    Function<String, GraftException> reject =
        problem -> GraftException.invalidArgument("CORRUPT_UPLOAD", "upload: " + problem);
    GraftException inMemory =
        GraftExceptions.from(() -> Safetensors.read(ByteBuffer.wrap(bytes), reject));
    assertThat(inMemory.category()).isEqualTo(GraftException.Category.INVALID_ARGUMENT);
    assertThat(inMemory.reason()).isEqualTo("CORRUPT_UPLOAD");
    return inMemory;
  }
}
