package dev.graft.server.hub;

import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A hub's answer, redirects followed. */
record HubResponse(HttpResponse<TimedBody> response) implements AutoCloseable {
  private static final Pattern NEXT_LINK = Pattern.compile("<([^>]*)>\\s*;\\s*rel=\"?next\"?");
  private static final Pattern CONTENT_RANGE =
      Pattern.compile("bytes (\\d{1,18})-\\d{1,18}/(\\d{1,18})");

  int status() {
    return response.statusCode();
  }

  TimedBody body() {
    return response.body();
  }

  Optional<String> header(String name) {
    return response.headers().firstValue(name);
  }

  /** Size of the body, where it is known and not compressed. */
  OptionalLong contentLength() {
    return header("Content-Encoding").isPresent()
        ? OptionalLong.empty()
        : response.headers().firstValueAsLong("Content-Length");
  }

  /** Whether this is the part of a file of so many bytes that begins there. */
  boolean isPart(long offset, long totalBytes) {
    Matcher range = CONTENT_RANGE.matcher(header("Content-Range").orElse(""));
    return status() == 206
        && range.matches()
        && Long.parseLong(range.group(1)) == offset
        && Long.parseLong(range.group(2)) == totalBytes;
  }

  /** Where a listing goes on. */
  Optional<URI> next() {
    return response.headers().allValues("Link").stream()
        .map(NEXT_LINK::matcher)
        .filter(Matcher::find)
        .map(link -> response.uri().resolve(link.group(1)))
        .findFirst();
  }

  /** How long the hub asks to wait: a number of seconds, or a date. */
  Optional<Duration> retryAfter(Clock clock) {
    return header("Retry-After").flatMap(text -> parseRetryAfter(text.strip(), clock));
  }

  private static Optional<Duration> parseRetryAfter(String text, Clock clock) {
    if (text.matches("\\d{1,9}")) {
      return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
    }
    try {
      ZonedDateTime date = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME);
      Duration wait = Duration.between(clock.instant(), date.toInstant());
      return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
    } catch (DateTimeException e) {
      return Optional.empty(); // as if it had not asked
    }
  }

  @Override
  public void close() {
    response.body().close();
  }
}
