/**
 * What a training run leaves: projector, manifest, metrics, checkpoints, TensorBoard events,
 * report.
 */
package dev.graft.cli.bundle;
