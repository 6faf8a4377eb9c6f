/**
 * Frozen transformer backbones: from a checkpoint and token ids to hidden states.
 *
 * <p>{@link dev.graft.server.backbones.Backbones} loads one, {@link
 * dev.graft.server.backbones.Backbone} computes with it. There is one file for each architecture
 * family, which reads {@code config.json} with transformers' names, defaults and meaning, names the
 * tensors, and points to its program: a text among the resources that reads like the published
 * model. An option that changes the output is either implemented or refused by name.
 */
package dev.graft.server.backbones;
