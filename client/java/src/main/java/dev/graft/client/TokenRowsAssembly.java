package dev.graft.client;

import com.google.protobuf.ByteString;
import dev.graft.v1.ItemResult;
import dev.graft.v1.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Puts the unpooled features of items together, [tokens, featureSize] each, from parts of
 * consecutive rows. Parts of an item, and of different items, may come in any order.
 */
final class TokenRowsAssembly {
  private final long maxWaitingBytes;
  private final Map<Long, NavigableMap<Long, ItemResult>> waiting = new HashMap<>();
  private long waitingBytes;

  TokenRowsAssembly(long maxWaitingBytes) {
    this.maxWaitingBytes = maxWaitingBytes;
  }

  /** Adds a part; the whole result, if this was the last part missing. */
  Optional<ItemResult> add(ItemResult part) throws ContractBreach {
    long rows = rows(part);
    long tokens = tokens(part);
    if (rows == tokens && part.getFirstRow() == 0 && !waiting.containsKey(part.getNumber())) {
      return Optional.of(part);
    }
    if (rows == 0 || firstRow(part) + rows > tokens) {
      throw broken(part, "has a part outside its %d rows".formatted(tokens));
    }
    waitingBytes += part.getFeatures().getData().size();
    if (waitingBytes > maxWaitingBytes) {
      throw broken(
          part,
          "and others wait for parts with more than %d bytes (maxAssembledBytes)"
              .formatted(maxWaitingBytes));
    }
    NavigableMap<Long, ItemResult> parts =
        waiting.computeIfAbsent(part.getNumber(), number -> new TreeMap<>());
    if (parts.put(firstRow(part), part) != null) {
      throw broken(part, "has two parts at row %d".formatted(firstRow(part)));
    }
    long knownRows = 0;
    for (ItemResult known : parts.values()) {
      knownRows += known.getFeatures().getShape(0);
    }
    return knownRows < tokens ? Optional.empty() : Optional.of(join(parts));
  }

  /** Checks that no item waits for a part. */
  void finish() throws ContractBreach {
    for (NavigableMap<Long, ItemResult> parts : waiting.values()) {
      throw broken(parts.firstEntry().getValue(), "was not sent completely");
    }
  }

  private ItemResult join(NavigableMap<Long, ItemResult> parts) throws ContractBreach {
    ItemResult first = parts.firstEntry().getValue();
    long featureSize = first.getFeatures().getShape(1);
    long nextRow = 0;
    List<ByteString> data = new ArrayList<>();
    for (ItemResult part : parts.values()) {
      Tensor rows = part.getFeatures();
      if (firstRow(part) != nextRow
          || tokens(part) != tokens(first)
          || rows.getShape(1) != featureSize
          || rows.getDataType() != first.getFeatures().getDataType()) {
        throw broken(part, "has parts that do not fit together at row %d".formatted(nextRow));
      }
      nextRow += rows.getShape(0);
      waitingBytes -= rows.getData().size();
      data.add(rows.getData());
    }
    waiting.remove(first.getNumber());
    Tensor features =
        Tensor.newBuilder()
            .setDataType(first.getFeatures().getDataType())
            .addShape(nextRow)
            .addShape(featureSize)
            .setData(ByteString.copyFrom(data))
            .build();
    return first.toBuilder().setFeatures(features).build();
  }

  private static long rows(ItemResult part) throws ContractBreach {
    Tensor features = part.getFeatures();
    if (features.getShapeCount() != 2) {
      throw broken(part, "has features of shape %s".formatted(features.getShapeList()));
    }
    try {
      Tensors.checkedElements(features);
    } catch (IllegalArgumentException malformed) {
      throw broken(part, "has malformed features: " + malformed.getMessage());
    }
    return features.getShape(0);
  }

  private static long firstRow(ItemResult part) {
    return Integer.toUnsignedLong(part.getFirstRow());
  }

  private static long tokens(ItemResult part) {
    return Integer.toUnsignedLong(part.getTokens());
  }

  private static ContractBreach broken(ItemResult part, String problem) {
    return new ContractBreach(
        "the result of item " + Long.toUnsignedString(part.getNumber()) + " " + problem);
  }
}
