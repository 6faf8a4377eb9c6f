package dev.graft.server.jobs;

import dev.graft.server.GraftException;
import java.util.Arrays;

/** What an item is made of. */
public sealed interface Content {
  /** Text for the backbone's tokenizer. */
  record Text(String text) implements Content {}

  /**
   * Token ids without padding.
   *
   * @param ids at least one
   * @param typeIds segments, or null when all are 0
   */
  record TokenIds(int[] ids, int[] typeIds) implements Content {}

  /** A precomputed feature. */
  record Features(float[] values) implements Content {}

  /**
   * Token ids whose padding is dropped, on whichever side it is.
   *
   * @param place for errors
   * @param attentionMask 1 for real tokens and 0 for padding; empty when all are real
   * @param typeIds segments; empty when all are 0
   * @throws GraftException INVALID_ARGUMENT if there are none, the lengths differ, or the real
   *     tokens are not one run
   */
  static TokenIds tokenIds(ItemPlace place, int[] ids, int[] attentionMask, int[] typeIds) {
    if (ids.length == 0) {
      throw place.invalid("token_ids.ids", "is empty; an item needs at least one token");
    }
    if (attentionMask.length != 0 && attentionMask.length != ids.length) {
      throw place.invalid(
          "token_ids.attention_mask",
          "has "
              + attentionMask.length
              + " values for "
              + ids.length
              + " ids; give as many, or none");
    }
    if (typeIds.length != 0 && typeIds.length != ids.length) {
      throw place.invalid(
          "token_ids.token_type_ids",
          "has " + typeIds.length + " values for " + ids.length + " ids; give as many, or none");
    }
    int start = 0;
    int end = ids.length;
    if (attentionMask.length != 0) {
      while (start < end && attentionMask[start] == 0) {
        start++;
      }
      while (end > start && attentionMask[end - 1] == 0) {
        end--;
      }
      if (start == end) {
        throw place.invalid(
            "token_ids.attention_mask", "has no 1; an item needs at least one real token");
      }
      for (int i = start; i < end; i++) {
        if (attentionMask[i] != 1) {
          throw place.invalid(
              "token_ids.attention_mask",
              "is "
                  + attentionMask[i]
                  + " at position "
                  + i
                  + " between real tokens; real tokens (1) must be one"
                  + " unbroken run with padding (0) only before and after it");
        }
      }
    }
    boolean typed = Arrays.stream(typeIds).anyMatch(type -> type != 0);
    return new TokenIds(
        Arrays.copyOfRange(ids, start, end),
        typed ? Arrays.copyOfRange(typeIds, start, end) : null);
  }
}
