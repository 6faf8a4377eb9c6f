package dev.graft.cli;

import dev.graft.client.pool.PoolOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Where a command runs that can have many workers. */
final class FarmOptions extends ConnectionOptions {
  @Option(
      names = "--patience",
      paramLabel = "DURATION",
      converter = DurationConverter.class,
      description =
          "With --workers: how long to go on while none of them is there, such as 90s or 2m."
              + " Default: 2m.")
  private Optional<Duration> patience = Optional.empty();

  /**
   * Connects to the workers; to one of its own, which is started first, if none are named.
   *
   * @param backbone what an own worker may read, as {@link #backbonePath} gives it
   */
  Workers open(Surroundings surroundings, String backbone) throws IOException {
    List<String> targets = targets();
    if (targets.isEmpty()) {
      if (patience.isPresent()) {
        throw wrong("--patience is for workers that are named with --workers");
      }
      return start(surroundings, Optional.of(backbone), List.of());
    }
    PoolOptions options = new PoolOptions();
    patience.ifPresent(options::patience);
    return Farm.connect(String.join(",", targets), options, surroundings.clock());
  }

  /** A whole number and its unit. */
  static final class DurationConverter implements ITypeConverter<Duration> {
    private static final Pattern FORM = Pattern.compile("([0-9]{1,9})(ms|s|m|h)");

    @Override
    public Duration convert(String text) {
      Matcher form = FORM.matcher(text);
      if (!form.matches()) {
        throw new TypeConversionException("'" + text + "' is not a duration such as 90s, 2m or 1h");
      }
      long count = Long.parseLong(form.group(1));
      return switch (form.group(2)) {
        case "ms" -> Duration.ofMillis(count);
        case "s" -> Duration.ofSeconds(count);
        case "m" -> Duration.ofMinutes(count);
        default -> Duration.ofHours(count);
      };
    }
  }
}
