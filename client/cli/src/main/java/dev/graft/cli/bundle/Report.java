package dev.graft.cli.bundle;

import com.fasterxml.jackson.databind.JsonNode;
import dev.graft.cli.bundle.LineChart.Point;
import dev.graft.cli.bundle.LineChart.Series;
import dev.graft.v1.TrainingStarted;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * {@code report.html}: one file that needs nothing else, with the curves, the settings and the log.
 */
final class Report {
  private static final List<String> FIRST_COLUMNS =
      List.of("step", "epoch", "loss", "grad_norm", "learning_rate", "eval_loss");

  private final Manifest manifest;
  private final TrainingStarted started;
  private final List<Map<String, Double>> rows;
  private final Instant now;

  Report(Manifest manifest, TrainingStarted started, List<Map<String, Double>> rows, Instant now) {
    this.manifest = manifest;
    this.started = started;
    this.rows = rows.stream().filter(row -> !row.containsKey("train_runtime")).toList();
    this.now = now.truncatedTo(ChronoUnit.SECONDS);
  }

  byte[] toHtml() {
    String backbone = manifest.spec().getFeatures().getBackbone().getPath();
    String name = backbone.substring(backbone.lastIndexOf('/') + 1);
    String html =
        template()
            .replace("{{title}}", Html.escape("Projector on " + name))
            .replace("{{subtitle}}", Html.escape(subtitle()))
            .replace("{{tiles}}", tiles())
            .replace("{{charts}}", charts())
            .replace("{{configuration}}", configuration())
            .replace("{{log}}", log())
            .replace("{{footer}}", Html.escape("Graft " + manifest.graftVersion() + ", " + now));
    return html.getBytes(StandardCharsets.UTF_8);
  }

  private static String template() {
    try (InputStream in = Report.class.getResourceAsStream("report.html")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String subtitle() {
    String evaluated =
        started.getEvalItems() == 0
            ? ""
            : String.format(Locale.ROOT, ", %,d to evaluate on", started.getEvalItems());
    return String.format(
        Locale.ROOT,
        "%,d trainable parameters on %,d frozen ones; %,d items%s",
        manifest.audit().getTrainableParameters(),
        manifest.audit().getFrozenParameters(),
        started.getTrainItems(),
        evaluated);
  }

  private String tiles() {
    Map<String, String> values = new LinkedHashMap<>();
    new TreeMap<>(manifest.evaluation())
        .forEach((name, value) -> values.put(readable(name), Html.number(value)));
    values.put("Train loss", Html.number(manifest.result().getTrainLoss()));
    values.put("Steps", Long.toString(manifest.result().getStep()));
    values.put("Training time", Html.number(manifest.result().getTrainRuntimeSeconds()) + " s");
    StringBuilder html = new StringBuilder();
    values.forEach(
        (name, value) ->
            html.append("<div class=\"tile\"><div class=\"name\">")
                .append(Html.escape(name))
                .append("</div><div class=\"value\">")
                .append(Html.escape(value))
                .append("</div></div>\n"));
    return html.toString();
  }

  /** {@code eval_accuracy} is "Eval accuracy". */
  private static String readable(String key) {
    String words = key.replace('_', ' ');
    return Character.toUpperCase(words.charAt(0)) + words.substring(1);
  }

  private String charts() {
    List<LineChart> charts = new ArrayList<>();
    charts.add(
        new LineChart(
            "Loss", List.of(series("loss", "training"), series("eval_loss", "evaluation"))));
    Set<String> evaluated = new TreeSet<>();
    rows.forEach(row -> evaluated.addAll(row.keySet()));
    for (String key : evaluated) {
      if (key.startsWith("eval_") && !key.equals("eval_loss")) {
        charts.add(new LineChart(readable(key), List.of(series(key, readable(key)))));
      }
    }
    charts.add(new LineChart("Learning rate", List.of(series("learning_rate", "learning rate"))));
    charts.add(new LineChart("Gradient norm", List.of(series("grad_norm", "gradient norm"))));
    StringBuilder html = new StringBuilder();
    charts.stream().filter(chart -> !chart.isEmpty()).map(LineChart::toHtml).forEach(html::append);
    return html.toString();
  }

  private Series series(String key, String name) {
    return new Series(
        name,
        rows.stream()
            .filter(row -> row.containsKey(key))
            .map(row -> new Point(row.get("step"), row.get(key)))
            .toList());
  }

  private String configuration() {
    JsonNode json = manifest.toJson();
    StringBuilder html = new StringBuilder("<table><tbody>\n");
    for (String section : List.of("backbone", "features", "projector", "objective", "arguments")) {
      StringBuilder text = new StringBuilder();
      flatten("", json.path(section), text);
      html.append("<tr><th scope=\"row\">")
          .append(Html.escape(readable(section)))
          .append("</th><td>")
          .append(Html.escape(text.toString()))
          .append("</td></tr>\n");
    }
    return html.append("</tbody></table>\n").toString();
  }

  private static void flatten(String path, JsonNode node, StringBuilder text) {
    if (node.isObject() && !node.isEmpty()) {
      node.properties()
          .forEach(
              entry ->
                  flatten(
                      path.isEmpty() ? entry.getKey() : path + "." + entry.getKey(),
                      entry.getValue(),
                      text));
      return;
    }
    String value = node.isObject() ? "" : " " + (node.isTextual() ? node.asText() : node);
    text.append(text.length() == 0 ? "" : ", ").append(path).append(value);
  }

  private String log() {
    Set<String> columns = new LinkedHashSet<>(FIRST_COLUMNS);
    Set<String> present = new TreeSet<>();
    rows.forEach(row -> present.addAll(row.keySet()));
    columns.addAll(present);
    columns.retainAll(present);
    StringBuilder html = new StringBuilder("<table class=\"numbers\"><thead><tr>");
    columns.forEach(
        column -> html.append("<th scope=\"col\">").append(Html.escape(column)).append("</th>"));
    html.append("</tr></thead><tbody>\n");
    for (Map<String, Double> row : rows) {
      html.append("<tr>");
      for (String column : columns) {
        String value = row.containsKey(column) ? Html.number(row.get(column)) : "";
        html.append("<td>").append(value).append("</td>");
      }
      html.append("</tr>\n");
    }
    return html.append("</tbody></table>\n").toString();
  }
}
