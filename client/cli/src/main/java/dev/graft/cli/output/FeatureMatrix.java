package dev.graft.cli.output;

import com.google.protobuf.ByteString;
import dev.graft.client.Tensors;
import dev.graft.v1.DataType;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.ItemResult;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * One matrix [items, d] of features, each row written to its place as it comes. The number of rows
 * is known only at the end, so room is kept for the header and it is written last.
 */
public final class FeatureMatrix implements ResultWriter {
  /** How a format describes the matrix, in exactly {@link #bytes()} bytes. */
  private interface Header {
    int bytes();

    ByteBuffer of(DataType type, long rows, int columns);
  }

  private final PartialFile file;
  private final Header header;
  private final Answered answered = new Answered();
  private DataType type = DataType.DATA_TYPE_UNSPECIFIED;
  private int columns;
  private int rowBytes;

  private FeatureMatrix(PartialFile file, Header header) {
    this.file = file;
    this.header = header;
  }

  /** A safetensors file with the tensor {@code features}. */
  public static FeatureMatrix safetensors(Path target) throws IOException {
    return new FeatureMatrix(PartialFile.at(target), new SafetensorsHeader());
  }

  /** A NumPy file. NumPy has no bfloat16. */
  public static FeatureMatrix npy(Path target) throws IOException {
    return new FeatureMatrix(PartialFile.at(target), new NpyHeader());
  }

  @Override
  public void begin(ExtractReady ready) {
    type = ready.getFeatures().getOutputDtype();
    columns = ready.getFeatureSize();
    rowBytes = Math.multiplyExact(columns, Tensors.elementBytes(type));
  }

  @Override
  public void write(ItemResult result) throws IOException {
    ByteString row = result.getFeatures().getData();
    if (result.getFeatures().getDataType() != type || row.size() != rowBytes) {
      throw new IOException(
          "the worker's feature of item " + result.getNumber() + " is not " + columns + " " + type);
    }
    answered.add(result.getNumber());
    long position = header.bytes() + Math.multiplyExact(result.getNumber(), (long) rowBytes);
    Channels.writeFully(file.channel(), row.asReadOnlyByteBuffer(), position);
  }

  @Override
  public void finish(long items) throws IOException {
    answered.requireAll(items);
    Channels.writeFully(file.channel(), header.of(type, items, columns), 0);
    file.commit();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }

  private static final class SafetensorsHeader implements Header {
    @Override
    public int bytes() {
      return 128;
    }

    @Override
    public ByteBuffer of(DataType type, long rows, int columns) {
      long end = rows * columns * Tensors.elementBytes(type);
      String json =
          "{\"features\":{\"dtype\":\"%s\",\"shape\":[%d,%d],\"data_offsets\":[0,%d]}}"
              .formatted(Safetensors.dtype(type), rows, columns, end);
      return Safetensors.header(json, bytes());
    }
  }

  /**
   * Version 1.0: magic, size of the text, a Python dict, padded to a multiple of 64 and ended by a
   * line end.
   */
  private static final class NpyHeader implements Header {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};

    @Override
    public int bytes() {
      return 128;
    }

    @Override
    public ByteBuffer of(DataType type, long rows, int columns) {
      String element =
          switch (type) {
            case DATA_TYPE_F32 -> "<f4";
            case DATA_TYPE_F16 -> "<f2";
            case DATA_TYPE_BF16, DATA_TYPE_UNSPECIFIED, UNRECOGNIZED ->
                throw new IllegalArgumentException("NumPy has no type for " + type);
          };
      String text =
          "{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }"
              .formatted(element, rows, columns);
      ByteBuffer header = ByteBuffer.allocate(bytes()).order(ByteOrder.LITTLE_ENDIAN);
      header.put(MAGIC).putShort((short) (bytes() - MAGIC.length - Short.BYTES));
      header.put(text.getBytes(StandardCharsets.US_ASCII));
      while (header.remaining() > 1) {
        header.put((byte) ' ');
      }
      return header.put((byte) '\n').flip();
    }
  }
}
