/** What of a trigger's name a model gets to read, and whether the name speaks to its reader instead of naming a state. */
import type { Alert } from '#lib/core/alert.ts';

/**
 * The name that only an administrator writes, or else the event's, in which a host may have a say. Zabbix 7.0:
 * TRIGGER.NAME.ORIG is the name with its macros unexpanded.
 */
export function triggerText(alert: Alert): string {
  return alert.trigger.nameOrig ?? nameWithoutHost(alert);
}

/** Whose name it is says nothing about what to do, and would make each host's alert a question of its own. */
function nameWithoutHost({ eventName, host }: Alert): string {
  return withNameAs(eventName, [host.name ?? '', host.host], 'this host');
}

/** The text with another word wherever it has one of these names as a whole word; the longest first. */
export function withNameAs(text: string, names: readonly string[], word: string): string {
  return names
    .filter((name) => name !== '')
    .toSorted((a, b) => b.length - a.length)
    .map((name) => RegExp.escape(name))
    .reduce((left, name) => left.replaceAll(new RegExp(`(?<![\\w-])${name}(?![\\w-])`, 'gi'), word), text);
}

/**
 * The first clause, without what stands in parentheses behind it. A trigger's name is one clause; where another follows, it
 * is most likely somebody's who wants to be read. A full stop inside a version, a path, a unit's name or an abbreviation
 * ends none, and neither does a dash behind a mere subject (`nginx - down`).
 */
export function firstClause(text: string): string {
  const [line = ''] = text.split(/[\r\n\u2028\u2029]/u, 1);
  const end = line.search(/(?<=[\p{L}\p{N})%\]]{2})[.!?;…]+(?=["')\]]*\s+\S)/u);
  const sentence = end < 0 ? line : line.slice(0, end + 1);
  // A look back over four words from every place would take a time that grows with the square of the length.
  const { length: subject } = /^\s*(?:\S+\s+){3}\S+/u.exec(sentence)?.[0] ?? sentence;
  const dash = sentence.slice(subject).search(/(?<!\s)\s+(?:[-–—/|=>~*]+|\.{2,}|…)\s/u);
  const clause = dash < 0 ? sentence : sentence.slice(0, subject + dash);
  return clause.replace(/\((?<=\S\s+\()[^()]*(?:\)\s*)?$/u, '').trimEnd();
}

/** Finds one of these phrases as whole words, whatever their case: JavaScript's `\b` knows no letters beyond ASCII. */
export const alone = (...phrases: readonly string[]) =>
  new RegExp(`(?<![\\p{L}\\p{N}_])(?:${phrases.join('|')})(?![\\p{L}\\p{N}_])`, 'iu');

/** Marks of a conversation, a program or a call; no trigger's name has them. */
const SIGNS: readonly RegExp[] = [
  /[<|]\s*[/|]?\s*(?:alert|system|user|assistant|tool|im_|s>|function|end)|\[\/?inst|\{\s*["'“„«]/iu,
  /["“”„«»]\s*[}:]\s*["“”„«{[]/u,
  /```|#{3}|={4}|-{4}|\\n|&[lg]t;|\bBEGIN\b|\bEND\b/u,
  /\b(?:cleanup|clean|restart|analy[sz]e|notify)[_-](?:disk|service|process(?:es)?|application|human)\b|\bnotify\b/iu,
  /(?:^|\s)(?:SYSTEM|USER|ASSISTANT|ADMIN|OPERATOR|HUMAN|IMPORTANT|NOTE|ATTENTION|HINT|ACTION|TODO|WICHTIG|ACHTUNG|HINWEIS|IMPORTANTE|ATENCI[OÓ]N|ATENÇÃO|NOTA|REMARQUE)\s*[:!-]/u,
];

/** Words about reading, answering and choosing, in the languages that triggers are most often named in. */
const TO_THE_READER = alone(
  // English
  'ignor(?:e|ing)|disregard|forget|overrid(?:e|den)|bypass|pretend|obey|comply',
  'instructions?|prompts?|guidelines?|definitions? above|(?:the )?(?:above|previous|earlier) (?:rules?|text|messages?|examples?|definitions?)',
  'you|your|yourself|please|kindly|we want|i want|i am|i’m|let’s|let us|language model|llm|ai|assistants?|chat ?bots?|agents? must',
  '(?:re)?answer(?:s|ed)?(?: only| with| is| must| should|:)|(?:respond|reply)(?: only| with|:)|says?(?: that)?\\s*:|output\\s*:|action\\s*:',
  'this (?:alert|trigger|event|message|problem) (?:says|means|is|must|should|counts|needs)|the (?:right|correct|only|best|expected) (?:word|reading|answer|tool|action|choice|option|category|call)|the word|reading(?: is|:)',
  'choose|choice|select|pick|classif(?:y|ied|ication)|categori[sz]e|label (?:it|this)|treat (?:it|this)|count(?:s)? as|consider(?:ed)? (?:it|this|as)|regard(?:ed)? as|interpret(?:ed)?|means that',
  '(?:call|invoke|use|run|execute|launch|perform|trigger) (?:the |a |this |that |its )?(?:tools?|functions?|jobs?|scripts?|commands?|actions?|playbooks?|remediations?|cleanup|clean-up|restart|cleaner)|tool[ _-]?calls?|remediat\\w*|remedia',
  "pre-?approved|approved by|authori[sz]ed|permission granted|is allowed|you may|no (?:human|approval|policy)|do not|don[’']?t|never|policy (?:is|allows|permits)",
  'immediately|at once|right away|right now|asap|without delay|urgently',
  // German
  'ignorier(?:e|en|t)?|vergiss|missachte|bitte|du (?:musst|sollst|darfst|kannst|bist|hast|wirst|solltest)|(?:musst|sollst|darfst|kannst|solltest) du|dein\\w*|sie m[uü]ssen|anweisung\\w*|antwort(?:e|en)?(?: mit| nur|:)|w[aä]hl(?:e|en)|rufe?|nutze|verwende|f[uü]hr(?:e|en) .{0,40}aus|sofort|umgehend|unverz[uü]glich|genehmigt|diese meldung|das richtige wort|bedeutet',
  // Spanish, Portuguese, Italian, French
  'ignor(?:a|ad|ar|em|en|ez|er|ate|are|ons)|olvid(?:a|e|ar|en)|esque(?:ça|cer|cam)|dimentica(?:re)?|oubli(?:e|ez|er)|desconsider(?:e|a|ar)|descart(?:e|a|ar) las?',
  "por favor|per favore|s[’']il (?:vous|te) pla[iî]t|svp|prego|instruc(?:ci[oó]n|ciones)|instru(?:ç|c)(?:ão|ões|ao|oes)|istruzion[ei]|consignes?",
  'respond(?:a|e|er|an|am|ez|ete) (?:con|com|solo|só|apenas|que|par)|contest(?:a|e|ar) (?:con|solo|sólo|que)|réponds|répondez|rispondi|rispondere|la (?:palabra|respuesta|risposta|réponse)|a (?:palavra|resposta)|le mot|esta? (?:alerta|alarma|evento) (?:dice|diz|es|é|significa|quer)|cette alerte',
  'elig(?:e|ir|en)|escolh(?:a|er|am)|escog(?:e|er)|seleccion(?:a|e|ar)|selecion(?:a|e|ar)|chois(?:is|ir|issez)|scegli(?:ere|ete)?|us(?:a|e|ar) (?:la|a|el|o) (?:herramienta|ferramenta|función|função)|llam(?:a|e|ar) a|cham(?:a|e|ar) a',
  'inmediatamente|imediatamente|immédiatement|immediatamente|ahora mismo|agora mesmo|de inmediato|subito|tout de suite|autorizad[oa]|aprobad[oa]|aprovad[oa]|approuvé\\w*|deve(?:m)? ser|deben? ser|hay que|é preciso|es necesario|é necessário|il faut|bisogna',
);

/** Orders and wishes to do what a tool does. What has happened ("was restarted") or does happen ("restarts") is none. */
const ORDERS = alone(
  '(?:re)?start (?:it|the|this|that|now|nginx|service|application|container|again)|restart|re-start|reboot|reload|relaunch|recreate|bounce|kill|terminate',
  'clean(?: ?-?up)?|cleanup|tidy|wipe|delete|remove|purge|prune|empty (?:it|the|this|out)|free up|make (?:room|space)|truncate|rm -\\w+',
  '(?:must|should|shall|has to|have to|needs? to|need|ought to|to) be (?:re-?started|rebooted|cleaned|deleted|removed|killed|purged|emptied|freed|stopped|run|executed)',
  'neu ?starten|neustart(?:en)?|(?:re)?start(?:e|en)(?: sie| du)?|hoch ?fahren|(?:auf)?r[aä]um(?:e|en|t)?|aufzur[aä]umen|bereinig(?:e|en)|l[oö]sch(?:e|en|t)|leeren|entfern(?:e|en)|beend(?:e|en)|(?:muss|soll|sollte|m[uü]ssen) .{0,40}werden',
  'reinici(?:a|e|ar|en|em|ad|alo|arlo|á-lo)|rearranc(?:a|ar|que)|limp(?:i?ar|ie|ia|ien|e|em|a)|borr(?:a|ar|e|en)|elimin(?:a|ar|e|en|em|er|are)|apag(?:ue|ar|a)|exclu(?:a|ir)|libera(?:r)?|liber(?:e|en|em)|vac[ií](?:a|ar|e)|esvazi(?:e|ar)|ejecut(?:a|ar|e|en)|execut(?:e|ar|em|ez|er)|mat(?:a|ar|e) ',
  'redémarr(?:e|er|ez)|relanc(?:e|er|ez)|nettoy(?:er|ez)|nettoie|supprim(?:e|er|ez)|vid(?:e|er|ez) |riavvi(?:a|are|ate)?|pulisci|pulire|esegui(?:re)?|cancella(?:re)?',
  'herstart(?:en)?|opruimen|verwijder(?:en)?|starta om|uruchom ponownie|zrestartuj|wyczyść|usuń|перезапуст\\p{L}*|перезагруз\\p{L}*|очист\\p{L}*|удали\\p{L}*|игнорир\\p{L}*|重启|清理|删除|忽略|再起動|削除',
);

/**
 * Whether a trigger's name does more than name a state: it addresses whoever reads it, asks for something, or looks like
 * a piece of a conversation with a model. Such a name makes nothing possible that a reading decides about; that an
 * honest name ("Disk full, please clean up") goes to a human too is the price. It is a net of words, and a net has
 * holes: it is one of several.
 */
export function speaksToReader(text: string): boolean {
  const plain = text
    .normalize('NFKC')
    .replaceAll(/\p{Cf}|\p{Variation_Selector}/gu, '')
    .replaceAll(/\s+/gu, ' ');
  return (
    SIGNS.some((sign) => sign.test(text) || sign.test(plain)) ||
    TO_THE_READER.test(plain) ||
    ORDERS.test(plain) ||
    mixesAlphabets(plain) ||
    isSpelled(plain)
  );
}

/** Letters of two alphabets in one word are there to look like another word. */
function mixesAlphabets(text: string): boolean {
  return text
    .split(/[^\p{L}]+/u)
    .some((word) => /\p{Script=Latin}/u.test(word) && /\p{Script=Cyrillic}|\p{Script=Greek}/u.test(word));
}

/** `r e s t a r t`: five single letters in a row. */
function isSpelled(text: string): boolean {
  return /(?<![\p{L}\p{N}])(?:\p{L}[ \-_]){4,}\p{L}(?![\p{L}\p{N}])/u.test(text);
}
