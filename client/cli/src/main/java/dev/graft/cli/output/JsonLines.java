package dev.graft.cli.output;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.google.protobuf.ByteString;
import dev.graft.client.Tensors;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.ItemResult;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * JSON lines in the items' order. Results that come early wait; they are no more than the worker's
 * window of batches lets run ahead.
 */
public final class JsonLines implements ResultWriter {
  /** Writes what a line says besides its id. */
  interface Fields {
    void write(JsonGenerator json, ItemResult result) throws IOException;
  }

  private static final JsonFactory JSON =
      new JsonFactory()
          .disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET)
          .disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);

  private static final int BUFFER_BYTES = 1 << 16;

  private final PartialFile file;
  private final OutputStream out;
  private final ItemNames names;
  private final Fields fields;
  private final Map<Long, ItemResult> waiting = new HashMap<>();
  private long nextNumber;

  private JsonLines(PartialFile file, ItemNames names, Fields fields) {
    this.file = file;
    this.out = new BufferedOutputStream(Channels.newOutputStream(file.channel()), BUFFER_BYTES);
    this.names = names;
    this.fields = fields;
  }

  /** Lines {@code {"id", "features", "truncated_tokens"?}}. */
  public static JsonLines features(Path target, ItemNames names) throws IOException {
    return new JsonLines(PartialFile.at(target), names, JsonLines::writeFeatures);
  }

  /** Lines of predictions. */
  public static JsonLines predictions(Path target, ItemNames names, PredictionFields fields)
      throws IOException {
    return new JsonLines(PartialFile.at(target), names, fields);
  }

  @Override
  public void begin(ExtractReady ready) {}

  @Override
  public void write(ItemResult result) throws IOException {
    ItemResult before = waiting.get(result.getNumber());
    if (result.getNumber() < nextNumber || (before != null && isWhole(before))) {
      throw new IOException("the worker answered item " + result.getNumber() + " twice");
    }
    waiting.put(result.getNumber(), before == null ? result : joined(before, result));
    ItemResult next = waiting.get(nextNumber);
    while (next != null && isWhole(next)) {
      writeLine(next);
      waiting.remove(nextNumber);
      nextNumber++;
      next = waiting.get(nextNumber);
    }
  }

  /** Without pooling, an item's rows come in parts. */
  private static boolean isWhole(ItemResult result) {
    return result.getFeatures().getShapeCount() != 2
        || result.getFeatures().getShape(0) == result.getTokens();
  }

  private static ItemResult joined(ItemResult first, ItemResult second) throws IOException {
    if (second.getFirstRow() != first.getFirstRow() + first.getFeatures().getShape(0)) {
      throw new IOException("the worker's rows of item " + first.getNumber() + " have a gap");
    }
    ByteString data = first.getFeatures().getData().concat(second.getFeatures().getData());
    ItemResult.Builder result = first.toBuilder();
    result
        .getFeaturesBuilder()
        .setShape(0, first.getFeatures().getShape(0) + second.getFeatures().getShape(0))
        .setData(data);
    return result.build();
  }

  private void writeLine(ItemResult result) throws IOException {
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      json.writeStringField("id", names.take(result.getNumber()));
      fields.write(json, result);
      if (result.getTruncatedTokens() > 0) {
        json.writeNumberField("truncated_tokens", result.getTruncatedTokens());
      }
      json.writeEndObject();
    }
    out.write('\n');
  }

  private static void writeFeatures(JsonGenerator json, ItemResult result) throws IOException {
    float[] values = Tensors.toFloats(result.getFeatures());
    json.writeFieldName("features");
    if (result.getFeatures().getShapeCount() != 2) {
      writeVector(json, result, values, 0, values.length);
      return;
    }
    int columns = Math.toIntExact(result.getFeatures().getShape(1));
    json.writeStartArray();
    for (int from = 0; from < values.length; from += columns) {
      writeVector(json, result, values, from, from + columns);
    }
    json.writeEndArray();
  }

  /** Values from one position to before another. */
  static void writeVector(JsonGenerator json, ItemResult result, float[] values, int from, int to)
      throws IOException {
    json.writeStartArray();
    for (int at = from; at < to; at++) {
      json.writeNumber(finite(result, values[at]));
    }
    json.writeEndArray();
  }

  static float finite(ItemResult result, float value) throws IOException {
    if (!Float.isFinite(value)) {
      throw new IOException(
          "item "
              + result.getNumber()
              + " came to a value that is not finite ("
              + value
              + "), which JSON cannot hold; look at it in a .safetensors or .npy file");
    }
    return value;
  }

  @Override
  public void finish(long items) throws IOException {
    if (nextNumber != items) {
      throw new IOException(
          "the worker answered "
              + (nextNumber + waiting.size())
              + " of "
              + items
              + " items; the first without answer is number "
              + nextNumber);
    }
    out.flush();
    file.commit();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
