package dev.graft.server.checkpoints;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Reads one TensorProto: names, shape, and where its bytes lie. */
final class OnnxTensorReader {
  private static final int EXTERNAL = 1;

  private final Path file;
  private final List<Long> dimensions = new ArrayList<>();
  private final List<Double> values = new ArrayList<>();
  private String name = "";
  private int typeCode;
  private Optional<WireReader.Span> raw = Optional.empty();
  private Optional<WireReader.Span> floats = Optional.empty();
  private boolean scattered;

  private OnnxTensorReader(Path file) {
    this.file = file;
  }

  static OnnxTensorReader read(WireReader tensor, Path file) {
    OnnxTensorReader reader = new OnnxTensorReader(file);
    boolean external = false;
    while (tensor.next()) {
      switch (tensor.field()) {
        case 1 ->
            tensor.integers(
                size -> {
                  if (reader.dimensions.size() == Shapes.MAX_RANK) {
                    throw tensor.corrupt(
                        "a tensor of more than %d dimensions".formatted(Shapes.MAX_RANK));
                  }
                  reader.dimensions.add(size);
                });
        case 2 -> reader.typeCode = (int) tensor.integer();
        case 4 -> reader.readFloats(tensor);
        case 5, 7 -> tensor.integers(each -> OnnxReader.addIfFew(reader.values, (double) each));
        case 8 -> reader.name = tensor.text();
        case 9 -> reader.raw = Optional.of(tensor.span());
        case 13 -> {
          external = true;
          tensor.skip();
        }
        case 14 -> external |= tensor.integer() == EXTERNAL;
        default -> tensor.skip();
      }
    }
    if (external) {
      throw Corruption.unsupportedFormat(
          file,
          "keeps tensor "
              + reader.name
              + " in another file, which is not read: save the model as one file, or as"
              + " safetensors");
    }
    reader.raw.ifPresent(span -> reader.readValues(tensor, span));
    return reader;
  }

  /** Packed numbers lie in the file as raw ones do; single ones do not. */
  private void readFloats(WireReader tensor) {
    if (tensor.isPacked() && floats.isEmpty()) {
      WireReader.Span span = tensor.span();
      floats = Optional.of(span);
      if (span.length() == Float.BYTES) {
        OnnxReader.addIfFew(values, Float.intBitsToFloat((int) tensor.little(span, 0, 4)));
      }
    } else {
      scattered = true;
      if (tensor.isPacked()) {
        tensor.skip();
      } else {
        OnnxReader.addIfFew(values, tensor.number());
      }
    }
  }

  private void readValues(WireReader tensor, WireReader.Span span) {
    StoredType type = type().orElse(null);
    if (type != StoredType.I64 && type != StoredType.I32 && type != StoredType.F32) {
      return;
    }
    if (span.length() > (long) OnnxGraph.Tensor.FEW * type.bytes()) {
      return;
    }
    for (int at = 0; at + type.bytes() <= span.length(); at += type.bytes()) {
      long bits = tensor.little(span, at, type.bytes());
      OnnxReader.addIfFew(
          values,
          switch (type) {
            case F32 -> Float.intBitsToFloat((int) bits);
            case I32 -> (int) bits;
            default -> (double) bits;
          });
    }
  }

  String name() {
    return name;
  }

  /** Whether it holds numbers at all, not texts or something newer than this reader. */
  boolean hasNumbers() {
    return type().isPresent();
  }

  /** The tensor, once its shape is proved to take its bytes. */
  OnnxGraph.Tensor toTensor() {
    StoredType type = type().orElseThrow();
    long[] shape = dimensions.stream().mapToLong(Long::longValue).toArray();
    OptionalLong bytes = Shapes.bytes(type, shape);
    if (bytes.isEmpty()) {
      throw Corruption.of(file, name, "shape " + dimensions + " overflows");
    }
    Optional<WireReader.Span> span = raw.isPresent() || scattered ? raw : floats;
    if (span.isPresent() && span.get().length() != bytes.getAsLong()) {
      throw Corruption.of(
          file,
          name,
          "%s%s needs %d bytes, but has %d"
              .formatted(type, dimensions, bytes.getAsLong(), span.get().length()));
    }
    List<Double> few = values.size() <= OnnxGraph.Tensor.FEW ? values : List.of();
    return new OnnxGraph.Tensor(type, List.copyOf(dimensions), span, List.copyOf(few));
  }

  /** TensorProto.DataType. */
  private Optional<StoredType> type() {
    return switch (typeCode) {
      case 1 -> Optional.of(StoredType.F32);
      case 2 -> Optional.of(StoredType.U8);
      case 3 -> Optional.of(StoredType.I8);
      case 4 -> Optional.of(StoredType.U16);
      case 5 -> Optional.of(StoredType.I16);
      case 6 -> Optional.of(StoredType.I32);
      case 7 -> Optional.of(StoredType.I64);
      case 9 -> Optional.of(StoredType.BOOL);
      case 10 -> Optional.of(StoredType.F16);
      case 11 -> Optional.of(StoredType.F64);
      case 12 -> Optional.of(StoredType.U32);
      case 13 -> Optional.of(StoredType.U64);
      case 16 -> Optional.of(StoredType.BF16);
      default -> Optional.empty();
    };
  }
}
