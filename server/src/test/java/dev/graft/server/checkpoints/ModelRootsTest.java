package dev.graft.server.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.GraftException;
import dev.graft.server.GraftException.Category;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelRootsTest {
  @TempDir private Path temporary;

  private Path first;
  private Path second;
  private Path outside;
  private ModelRoots roots;

  @BeforeEach
  void makeDirectories() throws IOException {
    Path base = temporary.toRealPath();
    first = Files.createDirectory(base.resolve("first"));
    second = Files.createDirectory(base.resolve("second"));
    outside = Files.createDirectory(base.resolve("outside"));
    Files.createDirectories(first.resolve("org/model"));
    Files.createDirectory(second.resolve("other"));
    Files.createDirectory(outside.resolve("secret"));
    roots = ModelRoots.of(List.of(first, second));
  }

  @Test
  void aGgufFileIsABackbone() throws IOException {
    Path file = Files.createFile(first.resolve("org/model.gguf"));

    assertThat(roots.resolve("org/model.gguf")).isEqualTo(file);
  }

  @Test
  void aLinkToAGgufFileIsABackboneWhateverTheFileIsCalled() throws IOException {
    Path blob = Files.createFile(first.resolve("0123abcd"));
    Files.createSymbolicLink(first.resolve("org/linked.gguf"), blob);

    assertThat(roots.resolve("org/linked.gguf")).isEqualTo(blob);
  }

  @Test
  void anotherFileIsNone() throws IOException {
    Files.createFile(first.resolve("model.bin"));

    GraftException error = GraftExceptions.from(() -> roots.resolve("model.bin"));

    assertThat(error.reason()).isEqualTo("BACKBONE_NOT_FOUND");
  }

  @Test
  void aLinkToAGgufFileOutsideIsRefused() throws IOException {
    Path secret = Files.createFile(outside.resolve("secret.gguf"));
    Files.createSymbolicLink(first.resolve("linked.gguf"), secret);

    GraftException error = GraftExceptions.from(() -> roots.resolve("linked.gguf"));

    assertThat(error.reason()).isEqualTo("OUTSIDE_MODEL_ROOTS");
  }

  @Test
  void relativeToAnyRoot() {
    assertThat(roots.resolve("org/model")).isEqualTo(first.resolve("org/model"));
    assertThat(roots.resolve("other")).isEqualTo(second.resolve("other"));
    assertThat(roots.resolve("org/../org/./model/")).isEqualTo(first.resolve("org/model"));
  }

  @Test
  void absolute() {
    assertThat(roots.resolve(second.resolve("other").toString()))
        .isEqualTo(second.resolve("other"));
  }

  @Test
  void theRootItself() {
    assertThat(roots.resolve(".")).isEqualTo(first);
  }

  @Test
  void linksInsideTheRootsAreFollowed() throws IOException {
    Files.createSymbolicLink(first.resolve("link"), second.resolve("other"));
    assertThat(roots.resolve("link")).isEqualTo(second.resolve("other"));
  }

  @Test
  void aRootMayBeALink() throws IOException {
    Path link = Files.createSymbolicLink(outside.resolve("models"), first);
    ModelRoots linked = ModelRoots.of(List.of(link));
    assertThat(linked.resolve("org/model")).isEqualTo(first.resolve("org/model"));
    assertThat(linked.resolve(link.resolve("org/model").toString()))
        .isEqualTo(first.resolve("org/model"));
    assertThat(reject(linked, link.resolve("none").toString()).reason())
        .isEqualTo("BACKBONE_NOT_FOUND");
  }

  @Test
  void missingDirectories() {
    assertNotFound("none");
    assertNotFound(first.resolve("none").toString());
    assertNotFound("x".repeat(5000));
  }

  @Test
  void aFileIsNoBackbone() throws IOException {
    Files.createFile(first.resolve("file"));
    assertNotFound("file");
    assertNotFound("file/below");
  }

  @Test
  void dotsLeadOut() {
    assertOutside("../outside/secret");
    assertOutside("org/../../outside/secret");
  }

  @Test
  void absolutePathsLeadOut() {
    assertOutside(outside.resolve("secret").toString());
    assertOutside("/");
    assertOutside("/etc/passwd");
  }

  @Test
  void aSiblingWithTheSameBeginningIsOutside() throws IOException {
    Files.createDirectory(first.resolveSibling("first-other"));
    assertOutside("../first-other");
    assertOutside(first.resolveSibling("first-other").toString());
  }

  @Test
  void linksLeadOut() throws IOException {
    Files.createSymbolicLink(first.resolve("link"), outside);
    assertOutside("link");
    assertOutside("link/secret");
  }

  @Test
  void whatExistsOutsideIsNotTold() {
    assertOutside("../outside/none");
    assertOutside(outside.resolve("none").toString());
  }

  @Test
  void loopsOfLinks() throws IOException {
    Files.createSymbolicLink(first.resolve("loop"), first.resolve("loop"));
    assertNotFound("loop");
  }

  @Test
  void charactersThatNoPathHas() {
    GraftException error = reject(roots, "mo\0del");
    assertThat(error.category()).isEqualTo(Category.INVALID_ARGUMENT);
    assertThat(error.reason()).isEqualTo("INVALID_BACKBONE_PATH");
    assertThat(reject(roots, " ").category()).isEqualTo(Category.INVALID_ARGUMENT);
  }

  @Test
  void withoutRootsThereIsNothing() {
    GraftException error = reject(ModelRoots.of(List.of()), outside.toString());
    assertThat(error.reason()).isEqualTo("OUTSIDE_MODEL_ROOTS");
  }

  @Test
  void rootsMustExist() {
    GraftException error =
        GraftExceptions.from(() -> ModelRoots.of(List.of(first.resolve("none"))));
    assertThat(error.reason()).isEqualTo("MODEL_ROOT_NOT_FOUND");
  }

  private void assertNotFound(String backbone) {
    GraftException error = reject(roots, backbone);
    assertThat(error.category()).isEqualTo(Category.NOT_FOUND);
    assertThat(error.reason()).isEqualTo("BACKBONE_NOT_FOUND");
  }

  private void assertOutside(String backbone) {
    GraftException error = reject(roots, backbone);
    assertThat(error.category()).isEqualTo(Category.PERMISSION_DENIED);
    assertThat(error.reason()).isEqualTo("OUTSIDE_MODEL_ROOTS");
  }

  private static GraftException reject(ModelRoots roots, String backbone) {
    return GraftExceptions.from(() -> roots.resolve(backbone));
  }
}
