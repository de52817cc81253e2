/**
 * Works out from the code, and by its types, which AWS calls each function can make and on what: a workflow sees only
 * the ports that its parameters declare, and each port's calls are the commands that its adapter sends.
 */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..', '..');

/** `new XCommand` in an adapter is this action in a role's policy. */
const SERVICE_OF: Readonly<Record<string, string>> = {
  '@aws-sdk/lib-dynamodb': 'dynamodb',
  '@aws-sdk/client-dynamodb': 'dynamodb',
  '@aws-sdk/client-sqs': 'sqs',
  '@aws-sdk/client-sns': 'sns',
};
/** The document client's names are its own. */
const DYNAMODB_ACTION: Readonly<Record<string, string>> = {
  Get: 'GetItem',
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  BatchGet: 'BatchGetItem',
};

/** One action, such as `dynamodb:GetItem`, on one thing: `table`, `table/index/<name>`, a setting's name, `topic`. */
export interface Need {
  readonly action: string;
  readonly on: string;
}

export interface NeededPermissions {
  /** By the function's name, such as `receive-alert`. */
  readonly byFunction: ReadonlyMap<string, readonly Need[]>;
  /** What each port of the table calls, to see that something was found. */
  readonly byTablePort: ReadonlyMap<string, readonly Need[]>;
}

/** Reads every file of `functions/`. Takes some seconds: the whole program is type-checked. */
export function neededPermissions(): NeededPermissions {
  const files = readdirSync(join(root, 'functions')).map((name) => join(root, 'functions', name));
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();

  const inFolder = (node: ts.Node, folder: string): boolean =>
    node.getSourceFile().fileName.startsWith(join(root, 'lib', folder));

  const sourceOf = (path: string): ts.SourceFile => {
    const file = program.getSourceFile(join(root, path));
    if (!file) throw new Error(`${path} is not part of the program`);
    return file;
  };

  /** Where an identifier was declared, followed through imports. */
  const declarationsOf = (name: ts.Identifier): readonly ts.Declaration[] => {
    const symbol = ts.isShorthandPropertyAssignment(name.parent)
      ? checker.getShorthandAssignmentValueSymbol(name.parent)
      : checker.getSymbolAtLocation(name);
    if (!symbol) return [];
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return target.declarations ?? [];
  };

  const actionOf = (created: ts.NewExpression): string | undefined => {
    const [, command] = /^(\w+)Command$/.exec(created.expression.getText()) ?? [];
    const [from] = checker.getTypeAtLocation(created).symbol?.declarations ?? [];
    const [, library = ''] =
      /node_modules\/(@aws-sdk\/[a-z-]+)\//.exec(from?.getSourceFile().fileName ?? '') ?? [];
    const service = SERVICE_OF[library];
    if (command === undefined || service === undefined) return undefined;
    return `${service}:${service === 'dynamodb' ? (DYNAMODB_ACTION[command] ?? command) : command}`;
  };

  const table = declared(sourceOf('lib/adapters/incidents-table.ts'), 'createIncidentsTable');

  /** Every command that `node` or anything of the adapters that it names may send. */
  function needsOf(node: ts.Node, seen = new Set<ts.Node>()): readonly Need[] {
    if (seen.has(node)) return [];
    seen.add(node);
    const actions = new Set<string>();
    const indexes = new Set<string>();
    const found: Need[] = [];
    const visit = (each: ts.Node): void => {
      if (ts.isNewExpression(each)) {
        const action = actionOf(each);
        if (action !== undefined) actions.add(action);
      }
      if (ts.isPropertyAssignment(each) && each.name.getText() === 'IndexName')
        if (ts.isStringLiteral(each.initializer)) indexes.add(each.initializer.text);
      if (ts.isIdentifier(each))
        // Whoever is handed the table sees only the ports that its type declares.
        for (const declaration of declarationsOf(each))
          if (declaration !== table && inFolder(declaration, 'adapters') && isCode(declaration)) {
            // A query is built in one place, and its caller says of which index.
            for (const need of needsOf(declaration, seen))
              if (need.on === 'index?') actions.add(need.action);
              else found.push(need);
          }
      ts.forEachChild(each, visit);
    };
    visit(node);
    for (const action of actions) {
      const [service] = action.split(':');
      if (action === 'dynamodb:Query')
        for (const on of indexes.size > 0 ? [...indexes].map((name) => `table/index/${name}`) : ['index?'])
          found.push({ action, on });
      else
        found.push({ action, on: service === 'dynamodb' ? 'table' : service === 'sns' ? 'topic' : 'queue?' });
    }
    return distinct(found);
  }

  const byTablePort = new Map<string, readonly Need[]>();
  for (const property of returned(table).properties)
    if (property.name) byTablePort.set(property.name.getText(), needsOf(property));

  const needsOfFunction = (file: ts.SourceFile): readonly Need[] => {
    const needs: Need[] = [];
    const visit = (node: ts.Node): void => {
      ts.forEachChild(node, visit);
      if (!ts.isCallExpression(node)) return;
      const signature = checker.getResolvedSignature(node);
      const declaration = signature?.getDeclaration();
      if (!signature || !declaration) return;
      if (declaration.getSourceFile().fileName === sourceOf('lib/adapters/queue.ts').fileName) {
        if (ts.isIdentifier(node.expression) && node.expression.text === 'queueDepths')
          needs.push(...queuesOf(file).map((on) => ({ action: 'sqs:GetQueueAttributes', on })));
        return;
      }
      // The glue of lib/runtime wraps ports and calls none of its own.
      if (!inFolder(declaration, 'workflow') && !inFolder(declaration, 'endpoints')) return;
      for (const [index, parameter] of signature.getParameters().entries()) {
        const argument = node.arguments[index];
        if (!argument) continue;
        const type = checker.getTypeOfSymbolAtLocation(parameter, node);
        for (const port of checker.getPropertiesOfType(checker.getNonNullableType(type)))
          needs.push(...needsOfPort(port.name, argument, file));
      }
    };
    visit(file);
    return distinct(needs);
  };

  /** A port is one of the table's, or made by an adapter where the object of ports is written down. */
  const needsOfPort = (port: string, argument: ts.Node, file: ts.SourceFile): readonly Need[] => {
    const written = propertiesNamed(port, argument, file);
    if (written.length === 0) return byTablePort.get(port) ?? [];
    return written.flatMap((property) =>
      needsOf(property).map((need) =>
        need.on === 'queue?' ? { ...need, on: queueSettingIn(property) } : need,
      ),
    );
  };

  const byFunction = new Map(
    files.map((path) => [basename(path, '.ts'), needsOfFunction(sourceOf(path.slice(root.length + 1)))]),
  );
  return { byFunction, byTablePort };
}

/** A declaration that runs, and not a type, an import or a parameter. */
const isCode = (node: ts.Node): boolean => ts.isFunctionDeclaration(node) || ts.isVariableDeclaration(node);

const distinct = (needs: readonly Need[]): readonly Need[] => [
  ...new Map(needs.map((need) => [`${need.action} ${need.on}`, need])).values(),
];

function declared(file: ts.SourceFile, name: string): ts.FunctionDeclaration {
  const found = file.statements.find(
    (each): each is ts.FunctionDeclaration => ts.isFunctionDeclaration(each) && each.name?.text === name,
  );
  if (!found) throw new Error(`${file.fileName} declares no ${name}`);
  return found;
}

/** The object that a function returns. */
function returned(declaration: ts.FunctionDeclaration): ts.ObjectLiteralExpression {
  const last = declaration.body?.statements.findLast(ts.isReturnStatement)?.expression;
  if (!last || !ts.isObjectLiteralExpression(last))
    throw new Error('expected a function that returns an object');
  return last;
}

/** `name: …` in the argument itself, or in the object of the same file that it is or spreads. */
function propertiesNamed(name: string, argument: ts.Node, file: ts.SourceFile): readonly ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && node.name.getText() === name) found.push(node.initializer);
    ts.forEachChild(node, visit);
  };
  visit(argument);
  const names = namesIn(argument);
  const declarations = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && names.has(node.name.getText()) && node.initializer)
      if (ts.isObjectLiteralExpression(node.initializer)) visit(node.initializer);
    ts.forEachChild(node, declarations);
  };
  if (found.length === 0) declarations(file);
  return found;
}

function namesIn(node: ts.Node): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (each: ts.Node): void => {
    if (ts.isIdentifier(each)) names.add(each.text);
    ts.forEachChild(each, visit);
  };
  visit(node);
  return names;
}

/** The settings that hold queue URLs, as far as the file reads them. */
const queuesOf = (file: ts.SourceFile): readonly string[] => [
  ...new Set([...file.getText().matchAll(/settings\.([A-Z]+_QUEUE_URL)/g)].map(([, name = '']) => name)),
];

function queueSettingIn(property: ts.Node): string {
  const [, name] = /settings\.([A-Z]+_QUEUE_URL)/.exec(property.getText()) ?? [];
  if (name === undefined) throw new Error(`no queue is named in: ${property.getText()}`);
  return name;
}
