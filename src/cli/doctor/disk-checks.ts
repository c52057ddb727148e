import type { Finding } from './finding.ts';
import { reasonOf, type Machine } from './machine.ts';

export interface DiskCheckOptions {
  readonly data: string;
  /** What the configuration wants to leave free. */
  readonly reserveBytes: number;
}

const fewInodes = 10_000;

/** Room, inodes, whether writes and syncs work, and who has the data folder. */
export async function checkDisk(
  machine: Machine,
  { data, reserveBytes }: DiskCheckOptions,
): Promise<readonly Finding[]> {
  return [
    await checkRoom(machine, data, reserveBytes),
    await checkWriting(machine, data),
    await checkHolder(machine, data),
  ];
}

async function checkRoom(machine: Machine, data: string, reserveBytes: number): Promise<Finding> {
  const check = 'disk';
  try {
    const { freeBytes, totalBytes, freeInodes, totalInodes } = await machine.disk(data);
    const room = `${gigabytes(freeBytes)} of ${gigabytes(totalBytes)} free for ${data}`;
    if (totalInodes > 0 && freeInodes < fewInodes) {
      const remedy = 'remove small files from that file system, or put data on one with more inodes';
      return {
        check,
        severity: freeInodes === 0 ? 'broken' : 'warning',
        message: `${freeInodes} inodes left`,
        remedy,
      };
    }
    if (freeBytes > reserveBytes) return { check, severity: 'ok', message: room };
    return {
      check,
      severity: 'warning',
      message: `${room}, and ${gigabytes(reserveBytes)} are to be left free: nothing new is kept, pulls pass through`,
      remedy: 'free some room, lower cache.reserve, or put data on a larger disk',
    };
  } catch (error) {
    const remedy = 'see whether the disk is mounted and the path of data is right';
    return { check, severity: 'broken', message: `${data}: ${reasonOf(error)}`, remedy };
  }
}

async function checkWriting(machine: Machine, data: string): Promise<Finding> {
  const check = 'data folder';
  try {
    await machine.tryWriting(data);
    return { check, severity: 'ok', message: `${data} takes writes, syncs and renames` };
  } catch (error) {
    const remedy = `let the user that runs the edge own ${data}, on a file system that is mounted for writing`;
    return { check, severity: 'broken', message: `${data} cannot be written: ${reasonOf(error)}`, remedy };
  }
}

async function checkHolder(machine: Machine, data: string): Promise<Finding> {
  const check = 'data lock';
  try {
    const holder = await machine.holder(data);
    if (holder === undefined) return { check, severity: 'ok', message: `nobody uses ${data}` };
    const remedy = 'fine if that is your edge; a second one needs a folder of its own';
    return { check, severity: 'note', message: `in use by ${holder}`, remedy };
  } catch (error) {
    const remedy = 'put data on a file system that knows locks (not every network share does)';
    return { check, severity: 'broken', message: `${data} cannot be locked: ${reasonOf(error)}`, remedy };
  }
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
