/** The shapes that several tools' parameters share: one anchored pattern each, which Rundeck checks again. */
import * as z from 'zod';

/** No size below 1K: such a limit would mean "every file". */
export const sizeAtLeast = z
  .string()
  .max(8)
  .regex(/^[1-9][0-9]{0,5}[KMGT]$/, 'expected a size such as 100K, 100M or 2G');

/** Whole days, so that nothing written today can ever count as old. */
export const ageAtLeast = z
  .string()
  .max(5)
  .regex(/^[1-9][0-9]{0,3}d$/, 'expected an age in days such as 7d');

/** Letters, digits and a few signs; no leading dash, no space, no shell's sign, no control character. */
export const processName = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.@:-]{0,127}$/, 'expected a plain name such as nginx.service');

/** An absolute path of plain names without `.` and `..`, or a Windows drive. */
export const mountPoint = z
  .string()
  .max(255)
  .regex(
    /^(\/|(\/[A-Za-z0-9_@+:-][A-Za-z0-9._@+:-]{0,99}){1,20}|[A-Za-z]:)$/,
    'expected a mount point such as /, /var or C:',
  );
