package dev.graft.cli.output;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.graft.cli.items.Classes;
import dev.graft.client.Tensors;
import dev.graft.v1.ItemResult;
import java.io.IOException;

/** What a prediction is written as; each kind of objective has its own. */
public sealed interface PredictionFields extends JsonLines.Fields {
  /** One class of several: {@code "label", "score", "scores"}. */
  record OneClass(Classes classes) implements PredictionFields {
    @Override
    public void write(JsonGenerator json, ItemResult result) throws IOException {
      float[] scores = scores(result, classes);
      int best = 0;
      for (int index = 1; index < scores.length; index++) {
        if (scores[index] > scores[best]) {
          best = index;
        }
      }
      json.writeFieldName("label");
      writeClass(json, classes, best);
      json.writeNumberField("score", JsonLines.finite(result, scores[best]));
      writeScores(json, result, classes, scores);
    }
  }

  /** Any of several classes: {@code "labels"} (those of at least one half), {@code "scores"}. */
  record ClassSet(Classes classes) implements PredictionFields {
    private static final float THRESHOLD = 0.5f;

    @Override
    public void write(JsonGenerator json, ItemResult result) throws IOException {
      float[] scores = scores(result, classes);
      json.writeArrayFieldStart("labels");
      for (int index = 0; index < scores.length; index++) {
        if (scores[index] >= THRESHOLD) {
          writeClass(json, classes, index);
        }
      }
      json.writeEndArray();
      writeScores(json, result, classes, scores);
    }
  }

  /** Numbers: {@code "values"}. */
  record Values() implements PredictionFields {
    @Override
    public void write(JsonGenerator json, ItemResult result) throws IOException {
      writeLogits(json, result, "values");
    }
  }

  /** The projection itself: {@code "features"}. */
  record Projection() implements PredictionFields {
    @Override
    public void write(JsonGenerator json, ItemResult result) throws IOException {
      writeLogits(json, result, "features");
    }
  }

  private static void writeLogits(JsonGenerator json, ItemResult result, String name)
      throws IOException {
    float[] values = Tensors.toFloats(result.getLogits());
    json.writeFieldName(name);
    JsonLines.writeVector(json, result, values, 0, values.length);
  }

  private static float[] scores(ItemResult result, Classes classes) throws IOException {
    float[] scores = Tensors.toFloats(result.getProbabilities());
    if (scores.length != classes.size()) {
      throw new IOException(
          "the worker sent " + scores.length + " scores for " + classes.size() + " classes");
    }
    return scores;
  }

  private static void writeClass(JsonGenerator json, Classes classes, int index)
      throws IOException {
    if (classes.numbered()) {
      json.writeNumber(index);
    } else {
      json.writeString(classes.names().get(index));
    }
  }

  private static void writeScores(
      JsonGenerator json, ItemResult result, Classes classes, float[] scores) throws IOException {
    json.writeObjectFieldStart("scores");
    for (int index = 0; index < scores.length; index++) {
      json.writeNumberField(classes.names().get(index), JsonLines.finite(result, scores[index]));
    }
    json.writeEndObject();
  }
}
