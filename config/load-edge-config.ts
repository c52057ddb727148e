import { basename, resolve } from 'node:path';
import { readFailure, type ConfigIo } from './config-io.ts';
import type { EdgeConfig } from './edge-schema.ts';
import { ConfigError, type KeyPath, type Problem } from './problems.ts';
import { defaultUpstreams, resolveEdgeConfig } from './resolve-edge-config.ts';
import { applyProxyEnvironment } from './proxy-environment.ts';
import { SettingsDraft, type Tree } from './settings-draft.ts';
import { applyEnvironment, applyFlags, configVariable, type EdgeFlags } from './sources.ts';
import { applyUpstreamEnvironment } from './upstream-environment.ts';
import { readYamlFile, type YamlFile } from './yaml-file.ts';

export interface EdgeSettings {
  /** Path of the YAML file; without it `WHERRY_CONFIG` names one, or there is none. */
  readonly configFile: string | undefined;
  readonly flags: EdgeFlags;
}

/**
 * Gathers an edge's configuration: flags win over environment over file over defaults.
 * Throws ConfigError with all that is wrong, and nothing else.
 */
export function loadEdgeConfig({ configFile, flags }: EdgeSettings, io: ConfigIo): EdgeConfig {
  const problems: Problem[] = [];
  const file = readFile(configFile ?? (io.env[configVariable] || undefined), io, problems);
  const draft = new SettingsDraft(asTree(file, problems), (path) => file?.originOf(path));
  applyEnvironment(draft, io.env);
  applyFlags(draft, flags);
  applyProxyEnvironment(draft, io.env);
  if (isEmpty(draft.get(['upstreams']))) draft.set(['upstreams'], defaultUpstreams(), 'default');
  problems.push(...applyUpstreamEnvironment(draft, io.env));
  const report = (path: KeyPath, message: string): void => {
    problems.push({ origin: draft.originOf(path), path, message });
  };
  const config = resolveEdgeConfig(draft.tree, io, report);
  if (config === undefined || problems.length > 0) throw new ConfigError(withoutRepeats(problems));
  return config;
}

function readFile(path: string | undefined, io: ConfigIo, problems: Problem[]): YamlFile | undefined {
  if (path === undefined) return undefined;
  try {
    const file = readYamlFile(basename(path), io.readText(resolve(io.workingDirectory, path)));
    problems.push(...file.problems);
    return file;
  } catch (error) {
    const message = `cannot read the configuration file: ${readFailure(error)}`;
    problems.push({ origin: path, path: undefined, message });
    return undefined;
  }
}

function asTree(file: YamlFile | undefined, problems: Problem[]): Tree {
  const tree = file?.tree ?? {};
  if (typeof tree === 'object' && !Array.isArray(tree)) return { ...tree };
  problems.push({
    origin: file?.originOf([]),
    path: undefined,
    message: 'expected keys and values, such as `listen: 127.0.0.1:5000`',
  });
  return {};
}

function isEmpty(upstreams: unknown): boolean {
  return upstreams === undefined || (Array.isArray(upstreams) && upstreams.length === 0);
}

/** The same sentence about the same key once. */
function withoutRepeats(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...seen.values()];
}
