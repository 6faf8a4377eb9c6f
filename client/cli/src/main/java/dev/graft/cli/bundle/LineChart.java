package dev.graft.cli.bundle;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/** A line chart over optimizer steps, as inline SVG in the report's colours. */
final class LineChart {
  private static final int WIDTH = 480;
  private static final int HEIGHT = 230;
  private static final int LEFT = 52;
  private static final int RIGHT = 14;
  private static final int TOP = 10;
  private static final int BOTTOM = 26;
  private static final int TICKS = 4;

  /** Above so many points, dots would hide the line; they then show under the pointer only. */
  private static final int MAX_DOTS = 24;

  /** A point. */
  record Point(double step, double value) {}

  /** A line. */
  record Series(String name, List<Point> points) {}

  private final String title;
  private final List<Series> series;
  private final Axis x;
  private final Axis y;

  /** A chart of at least one series with at least one finite point. */
  LineChart(String title, List<Series> series) {
    this.title = title;
    this.series =
        series.stream().map(LineChart::finite).filter(s -> !s.points().isEmpty()).toList();
    this.x = Axis.over(points().mapToDouble(Point::step), LEFT, WIDTH - RIGHT);
    this.y = Axis.over(points().mapToDouble(Point::value), HEIGHT - BOTTOM, TOP);
  }

  private static Series finite(Series series) {
    return new Series(
        series.name(),
        series.points().stream().filter(point -> Double.isFinite(point.value())).toList());
  }

  private Stream<Point> points() {
    return series.stream().flatMap(s -> s.points().stream());
  }

  boolean isEmpty() {
    return series.isEmpty();
  }

  String toHtml() {
    StringBuilder html = new StringBuilder();
    html.append("<figure class=\"card\" style=\"margin:0\"><h3>")
        .append(Html.escape(title))
        .append("</h3>");
    html.append("<div class=\"legend\">");
    if (series.size() > 1) { // one line needs no legend: the title names it
      for (int index = 0; index < series.size(); index++) {
        html.append("<span style=\"--key:")
            .append(color(index))
            .append("\">")
            .append(Html.escape(series.get(index).name()))
            .append("</span>");
      }
    }
    html.append("</div>");
    html.append(
        "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">"
            .formatted(WIDTH, HEIGHT, Html.escape(title + " by step")));
    grid(html);
    for (int index = 0; index < series.size(); index++) {
      line(html, series.get(index), color(index));
    }
    return html.append("</svg></figure>\n").toString();
  }

  private static String color(int index) {
    return "var(--series-" + (index + 1) + ")";
  }

  private void grid(StringBuilder html) {
    for (double tick : y.ticks()) {
      double at = y.at(tick);
      html.append(
          text(
              "<line class=\"gridline\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>",
              LEFT, WIDTH - RIGHT, at, at));
      html.append(
          text(
              "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
              LEFT - 8, at + 4, Html.number(tick)));
    }
    int bottom = HEIGHT - BOTTOM;
    html.append(
        text(
            "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>",
            LEFT, WIDTH - RIGHT, bottom, bottom));
    html.append(
        text("<text x=\"%d\" y=\"%d\" text-anchor=\"end\">step</text>", LEFT - 16, HEIGHT - 8));
    for (double tick : x.ticks()) {
      if (tick == Math.rint(tick)) {
        html.append(
            text(
                "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
                x.at(tick), HEIGHT - 8, Html.number(tick)));
      }
    }
  }

  private void line(StringBuilder html, Series one, String color) {
    StringBuilder path = new StringBuilder();
    for (Point point : one.points()) {
      path.append(
          text(
              "%s%.1f %.1f",
              path.length() == 0 ? "M" : "L", x.at(point.step()), y.at(point.value())));
    }
    html.append("<path class=\"line\" stroke=\"")
        .append(color)
        .append("\" d=\"")
        .append(path)
        .append("\"/>");
    html.append(one.points().size() > MAX_DOTS ? "<g class=\"quiet\">" : "<g>");
    for (Point point : one.points()) {
      html.append(
          text(
              "<g class=\"mark\"><title>%s %s at step %s</title><circle class=\"hit\" cx=\"%.1f\" cy=\"%.1f\" r=\"9\"/>"
                  + "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/></g>",
              Html.escape(one.name()),
              Html.number(point.value()),
              Html.number(point.step()),
              x.at(point.step()),
              y.at(point.value()),
              x.at(point.step()),
              y.at(point.value()),
              color));
    }
    html.append("</g>");
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  /** Maps values to pixels, from a round value to a round value. */
  private record Axis(double low, double high, double stride, double from, double to) {
    static Axis over(DoubleStream values, double from, double to) {
      double[] all = values.toArray();
      double min = DoubleStream.of(all).min().orElse(0);
      double max = DoubleStream.of(all).max().orElse(1);
      if (min == max) { // a single value stands in the middle
        double half = min == 0 ? 0.5 : Math.abs(min) / 2;
        min -= half;
        max += half;
      }
      double stride = roundStride((max - min) / TICKS);
      double low = Math.floor(min / stride) * stride;
      double high = Math.ceil(max / stride) * stride;
      return new Axis(low, high, stride, from, to);
    }

    /** The next of 1, 2, 5 times a power of ten. */
    private static double roundStride(double raw) {
      double magnitude = Math.pow(10, Math.floor(Math.log10(raw)));
      double share = raw / magnitude;
      if (share <= 1) {
        return magnitude;
      }
      return magnitude * (share <= 2 ? 2 : share <= 5 ? 5 : 10);
    }

    double at(double value) {
      return from + (value - low) / (high - low) * (to - from);
    }

    List<Double> ticks() {
      List<Double> ticks = new ArrayList<>();
      for (int index = 0; low + index * stride <= high + stride / 2; index++) {
        ticks.add(low + index * stride);
      }
      return ticks;
    }
  }
}
