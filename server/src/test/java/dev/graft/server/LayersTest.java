package dev.graft.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/**
 * Dependencies point one way: rpc, jobs, training and extraction, backbones, quantizing,
 * checkpoints, hub and torch.
 */
@AnalyzeClasses(packages = "dev.graft.server", importOptions = ImportOption.DoNotIncludeTests.class)
class LayersTest {
  @ArchTest
  static final ArchRule LAYERS =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("rpc")
          .definedBy("..server.rpc..")
          .layer("jobs")
          .definedBy("..server.jobs..")
          .layer("training")
          .definedBy("..server.training..")
          .layer("extraction")
          .definedBy("..server.extraction..")
          .layer("backbones")
          .definedBy("..server.backbones..")
          .layer("quantizing")
          .definedBy("..server.quantizing..")
          .layer("checkpoints")
          .definedBy("..server.checkpoints..")
          .layer("hub")
          .definedBy("..server.hub..")
          .layer("torch")
          .definedBy("..server.torch..")
          .whereLayer("rpc")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("jobs")
          .mayOnlyBeAccessedByLayers("rpc")
          .whereLayer("training")
          .mayOnlyBeAccessedByLayers("jobs", "rpc")
          .whereLayer("extraction")
          .mayOnlyBeAccessedByLayers("jobs", "rpc")
          .whereLayer("backbones")
          .mayOnlyBeAccessedByLayers("extraction", "jobs", "rpc")
          .whereLayer("quantizing")
          .mayOnlyBeAccessedByLayers("backbones", "jobs", "rpc")
          .whereLayer("checkpoints")
          .mayNotAccessAnyLayer()
          .whereLayer("hub")
          .mayOnlyBeAccessedByLayers("jobs", "rpc")
          .whereLayer("hub")
          .mayNotAccessAnyLayer()
          .whereLayer("torch")
          .mayNotAccessAnyLayer();

  @ArchTest
  static final ArchRule ONLY_RPC_KNOWS_GRPC =
      noClasses()
          .that()
          .resideOutsideOfPackage("..server.rpc..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.grpc..", "com.google.protobuf..", "com.google.rpc..", "dev.graft.v1..");

  @ArchTest
  static final ArchRule ONLY_TORCH_KNOWS_DJL =
      noClasses()
          .that()
          .resideOutsideOfPackage("..server.torch..")
          .should()
          .dependOnClassesThat(
              com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage("ai.djl..")
                  .and(
                      com.tngtech.archunit.base.DescribedPredicate.not(
                          com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage(
                              "ai.djl.huggingface.tokenizers.."))));

  @ArchTest
  static final ArchRule CHECKPOINTS_HAVE_NO_NETWORK =
      noClasses()
          .that()
          .resideInAPackage("..server.checkpoints..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("java.net..", "io.grpc..");

  @ArchTest
  static final ArchRule ONLY_HUB_FETCHES =
      noClasses()
          .that()
          .resideOutsideOfPackage("..server.hub..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("java.net.http..");
}
