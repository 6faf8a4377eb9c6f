package dev.graft.server.extraction;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.graft.server.GraftException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/** A Hugging Face {@code tokenizer.json}. May be used on several threads at once. */
public final class TextTokenizer implements AutoCloseable {
  private static final Map<String, String> OPTIONS =
      Map.of("padding", "false", "truncation", "false", "addSpecialTokens", "true");

  private final HuggingFaceTokenizer tokenizer;

  private TextTokenizer(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * Reads a tokenizer. The padding and truncation that the file may ask for are left off.
   *
   * @throws GraftException FAILED_PRECONDITION (CORRUPT_CHECKPOINT) if the file is no tokenizer
   */
  public static TextTokenizer open(Path file) {
    try (InputStream json = Files.newInputStream(file)) {
      return read(json, file);
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  /**
   * The same from the text of a {@code tokenizer.json}.
   *
   * @param origin the file that it was made from
   */
  public static TextTokenizer of(String json, Path origin) {
    return read(new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)), origin);
  }

  private static TextTokenizer read(InputStream json, Path file) {
    try {
      return new TextTokenizer(HuggingFaceTokenizer.newInstance(json, OPTIONS));
    } catch (IOException | RuntimeException e) {
      throw unreadable(file, e);
    }
  }

  private static GraftException unreadable(Path file, Exception e) {
    return GraftException.failedPrecondition(
            "CORRUPT_CHECKPOINT", file + " is not a tokenizer that can be read: " + e.getMessage())
        .with("file", file)
        .causedBy(e);
  }

  /**
   * Tokenizes a text with the special tokens around it. Where it is too long, the end of the text
   * is cut off and the special tokens that follow it are kept.
   */
  public TokenizedItem tokenize(long slot, String text, int maxTokens) {
    Encoding encoding = tokenizer.encode(text);
    int[] ids = ints(encoding.getIds());
    int[] typeIds = ints(encoding.getTypeIds());
    int excess = ids.length - maxTokens;
    if (excess > 0) {
      int tail = trailing(encoding.getSpecialTokenMask());
      ids = withoutMiddle(ids, maxTokens, tail);
      typeIds = withoutMiddle(typeIds, maxTokens, tail);
    }
    boolean typed = Arrays.stream(typeIds).anyMatch(type -> type != 0);
    return new TokenizedItem(slot, ids, typed ? typeIds : null, Math.max(0, excess));
  }

  private static int trailing(long[] specialTokenMask) {
    int count = 0;
    while (count < specialTokenMask.length
        && specialTokenMask[specialTokenMask.length - 1 - count] == 1) {
      count++;
    }
    return count;
  }

  private static int[] withoutMiddle(int[] ids, int length, int tail) {
    int kept = Math.min(tail, length);
    int[] cut = Arrays.copyOf(ids, length);
    System.arraycopy(ids, ids.length - kept, cut, length - kept, kept);
    return cut;
  }

  private static int[] ints(long[] values) {
    return Arrays.stream(values).mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
