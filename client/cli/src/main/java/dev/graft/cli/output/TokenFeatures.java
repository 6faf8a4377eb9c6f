package dev.graft.cli.output;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.graft.client.Tensors;
import dev.graft.v1.DataType;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.ItemResult;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Features without pooling: a safetensors file with a tensor [tokens, d] for each item. Rows go to
 * a spool as they come; the file is put together at the end, in the items' order, when names and
 * sizes are known.
 */
public final class TokenFeatures implements ResultWriter {
  /** Where an item's rows lie in the spool, and how many of them have come. */
  private static final class Place {
    private final long position;
    private final int rows;
    private int received;

    private Place(long position, int rows) {
      this.position = position;
      this.rows = rows;
    }
  }

  private final PartialFile file;
  private final PartialFile spool;
  private final ItemNames names;
  private final TreeMap<Long, Place> places = new TreeMap<>();
  private DataType type = DataType.DATA_TYPE_UNSPECIFIED;
  private int columns;
  private int rowBytes;
  private long spoolEnd;

  private TokenFeatures(PartialFile file, PartialFile spool, ItemNames names) {
    this.file = file;
    this.spool = spool;
    this.names = names;
  }

  /**
   * A safetensors file.
   *
   * @param names what the tensors are called
   */
  public static TokenFeatures safetensors(Path target, ItemNames names) throws IOException {
    PartialFile file = PartialFile.at(target);
    try {
      Path spool = target.resolveSibling(target.getFileName() + ".spool");
      return new TokenFeatures(file, PartialFile.at(spool), names);
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  @Override
  public void begin(ExtractReady ready) {
    type = ready.getFeatures().getOutputDtype();
    columns = ready.getFeatureSize();
    rowBytes = Math.multiplyExact(columns, Tensors.elementBytes(type));
  }

  @Override
  public void write(ItemResult result) throws IOException {
    Place place = places.computeIfAbsent(result.getNumber(), number -> allocate(result));
    int bytes = result.getFeatures().getData().size();
    int rows = bytes / rowBytes;
    long end = (long) result.getFirstRow() + rows;
    if (rows * rowBytes != bytes
        || result.getFeatures().getDataType() != type
        || end > place.rows
        || result.getTokens() != place.rows) {
      throw new IOException(
          "the worker's features of item " + result.getNumber() + " do not fit together");
    }
    place.received += rows;
    Channels.writeFully(
        spool.channel(),
        result.getFeatures().getData().asReadOnlyByteBuffer(),
        place.position + (long) result.getFirstRow() * rowBytes);
  }

  private Place allocate(ItemResult result) {
    Place place = new Place(spoolEnd, result.getTokens());
    spoolEnd += (long) place.rows * rowBytes;
    return place;
  }

  @Override
  public void finish(long items) throws IOException {
    requireAll(items);
    FileChannel out = file.channel();
    Channels.writeFully(out, Safetensors.header(headerJson(), 0), 0);
    out.position(out.size());
    for (Place place : places.values()) {
      Channels.transferFully(spool.channel(), place.position, (long) place.rows * rowBytes, out);
    }
    file.commit();
  }

  private void requireAll(long items) throws IOException {
    for (long number = 0; number < items; number++) {
      Optional<Place> place = Optional.ofNullable(places.get(number));
      if (place.isEmpty() || place.get().received != place.get().rows) {
        throw new IOException("the worker did not answer all of item " + number);
      }
    }
  }

  private String headerJson() throws IOException {
    StringBuilder json = new StringBuilder("{");
    long offset = 0;
    for (Map.Entry<Long, Place> entry : places.entrySet()) {
      String name = names.take(entry.getKey());
      long end = offset + (long) entry.getValue().rows * rowBytes;
      json.append(json.length() == 1 ? "" : ",")
          .append('"')
          .append(JsonStringEncoder.getInstance().quoteAsString(name))
          .append("\":{\"dtype\":\"")
          .append(Safetensors.dtype(type))
          .append("\",\"shape\":[")
          .append(entry.getValue().rows)
          .append(',')
          .append(columns)
          .append("],\"data_offsets\":[")
          .append(offset)
          .append(',')
          .append(end)
          .append("]}");
      offset = end;
      if (json.length() > Safetensors.MAX_HEADER_BYTES) {
        throw new IOException(
            "too many items for one safetensors file: its header would be larger than "
                + Safetensors.MAX_HEADER_BYTES
                + " bytes; split the input");
      }
    }
    return json.append('}').toString();
  }

  @Override
  public void close() throws IOException {
    try (spool) {
      file.close();
    }
  }
}
