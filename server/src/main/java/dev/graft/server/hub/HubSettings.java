package dev.graft.server.hub;

import dev.graft.server.GraftException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which hub, as whom, and where its files are kept.
 *
 * @param endpoint without a slash at its end
 * @param token sent to the endpoint alone
 * @param cache the directory with {@code models--organization--name} in it
 * @param offline whether only what the cache has may be used
 */
public record HubSettings(URI endpoint, Optional<String> token, Path cache, boolean offline) {
  private static final String DEFAULT_ENDPOINT = "https://huggingface.co";
  private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");

  /**
   * The settings that {@code huggingface_hub} takes from the same variables: {@code HF_ENDPOINT},
   * {@code HF_TOKEN}, {@code HF_TOKEN_PATH}, {@code HF_HOME}, {@code HF_HUB_CACHE} and {@code
   * HF_HUB_OFFLINE}, with their older names.
   *
   * @throws GraftException INVALID_ARGUMENT INVALID_OPTION
   */
  public static HubSettings of(Map<String, String> environment) {
    Variables variables = new Variables(environment);
    Path userHome = Path.of(variables.find("HOME").orElse(System.getProperty("user.home")));
    Path home =
        variables
            .path("HF_HOME", userHome)
            .orElseGet(
                () ->
                    variables
                        .path("XDG_CACHE_HOME", userHome)
                        .orElse(userHome.resolve(".cache"))
                        .resolve("huggingface"));
    Path cache =
        variables
            .path("HF_HUB_CACHE", userHome)
            .or(() -> variables.path("HUGGINGFACE_HUB_CACHE", userHome))
            .orElse(home.resolve("hub"));
    Path tokenFile = variables.path("HF_TOKEN_PATH", userHome).orElse(home.resolve("token"));
    return new HubSettings(
        endpoint(variables.find("HF_ENDPOINT").orElse(DEFAULT_ENDPOINT)),
        variables.isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN")
            ? Optional.empty()
            : token(variables, tokenFile),
        cache.toAbsolutePath().normalize(),
        variables.isTrue("HF_HUB_OFFLINE") || variables.isTrue("TRANSFORMERS_OFFLINE"));
  }

  private static URI endpoint(String text) {
    try {
      URI endpoint = new URI(text.replaceAll("/+$", ""));
      if (Set.of("http", "https").contains(String.valueOf(endpoint.getScheme()))
          && endpoint.getHost() != null) {
        return endpoint;
      }
      throw invalid("HF_ENDPOINT is " + text + ", which is no http:// or https:// address");
    } catch (URISyntaxException e) {
      throw invalid("HF_ENDPOINT is " + text + ", which is no address").causedBy(e);
    }
  }

  private static Optional<String> token(Variables variables, Path tokenFile) {
    Optional<String> token =
        variables
            .find("HF_TOKEN")
            .or(() -> variables.find("HUGGING_FACE_HUB_TOKEN"))
            .or(() -> written(tokenFile))
            .map(String::strip)
            .filter(text -> !text.isEmpty());
    token.ifPresent(HubSettings::requireHeader);
    return token;
  }

  private static Optional<String> written(Path tokenFile) {
    try {
      return Files.isRegularFile(tokenFile)
          ? Optional.of(Files.readString(tokenFile))
          : Optional.empty();
    } catch (IOException e) {
      throw invalid("the hub's token file " + tokenFile + " cannot be read: " + e.getMessage())
          .causedBy(e);
    }
  }

  /** The text itself is in no message: it is a secret, or a part of one. */
  private static void requireHeader(String token) {
    if (!token.chars().allMatch(character -> character > ' ' && character < 127)) {
      throw invalid("the hub's token (HF_TOKEN or its file) has characters that no token has");
    }
  }

  private static GraftException invalid(String problem) {
    return GraftException.invalidArgument("INVALID_OPTION", problem).with("option", "hub");
  }

  @Override
  public String toString() {
    return "HubSettings[endpoint=%s, token=%s, cache=%s, offline=%s]"
        .formatted(endpoint, token.isPresent() ? "(secret)" : "none", cache, offline);
  }

  private record Variables(Map<String, String> environment) {
    Optional<String> find(String name) {
      return Optional.ofNullable(environment.get(name)).filter(value -> !value.isEmpty());
    }

    Optional<Path> path(String name, Path userHome) {
      return find(name)
          .map(
              value ->
                  value.equals("~") || value.startsWith("~/")
                      ? userHome.resolve(value.substring(1).replaceFirst("^/+", ""))
                      : Path.of(value));
    }

    boolean isTrue(String name) {
      return find(name).map(value -> TRUE.contains(value.toUpperCase(Locale.ROOT))).orElse(false);
    }
  }
}
