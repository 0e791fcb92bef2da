import type { Reply } from '@callahead/core';

/** What the front door says on its own account. Enhanced codes are RFC 3463's and RFC 5248's. */
export const SAYS = {
  ok: says(250, '2.0.0', 'Ok'),
  senderOk: says(250, '2.1.0', 'Sender ok'),
  recipientOk: says(250, '2.1.5', 'Recipient ok'),
  bye: says(221, '2.0.0', 'Bye'),
  notVerified: says(252, '2.0.0', 'Nobody is verified here, send a message to find out'),
  readyForTls: says(220, '2.0.0', 'Ready to start TLS'),
  goAhead: says(354, null, 'Go ahead, end with <CRLF>.<CRLF>'),

  talksTooSoon: says(554, '5.5.0', 'You talk too soon'),
  outOfStep: says(554, '5.5.0', 'Protocol synchronization: wait for the reply to this command'),
  busy: says(421, '4.3.2', 'Too busy, try again later'),
  shuttingDown: says(421, '4.3.2', 'Shutting down, try again later'),
  tooSlow: says(421, '4.4.2', 'Timeout'),
  tooManyErrors: says(421, '4.7.0', 'Too many errors'),
  tooManyIdleCommands: says(421, '4.7.0', 'Too many commands without a message'),
  notSmtp: says(421, '4.7.0', 'This is an SMTP server'),
  lineTooLong: says(500, '5.5.2', 'Line too long'),
  endlessLine: says(421, '4.7.0', 'Line too long'),
  bareNewline: says(500, '5.5.2', 'Lines end with CRLF'),

  unknownCommand: says(500, '5.5.2', 'Command not recognized'),
  notImplemented: says(502, '5.5.1', 'Command not implemented'),
  badSyntax: says(501, '5.5.4', 'Syntax error in the argument'),
  badHelloName: says(501, '5.5.4', 'A host name or an address literal is needed'),
  tlsFirst: says(530, '5.7.0', 'Must issue a STARTTLS command first'),
  tlsAlready: says(503, '5.5.1', 'TLS is in use already'),
  helloFirst: says(503, '5.5.1', 'Say EHLO first'),
  mailFirst: says(503, '5.5.1', 'MAIL comes first'),
  mailAgain: says(503, '5.5.1', 'There is a sender already'),
  noRecipients: says(554, '5.5.1', 'No valid recipients'),
  badParameter: says(501, '5.5.4', 'Bad parameter'),
  repeatedParameter: says(501, '5.5.4', 'Parameter given twice'),
  unknownParameter: says(555, '5.5.4', 'Parameter not supported'),
  tooBig: says(552, '5.3.4', 'Message too big'),

  accessDenied: says(554, '5.7.1', 'Access denied'),
  onlyQuit: says(503, '5.5.1', 'Access denied, only QUIT is left'),
  tooManyConnections: says(421, '4.7.0', 'Too many connections from your host'),
  tooManyMessages: says(421, '4.7.0', 'Too many messages in this session'),
  noRelay: says(550, '5.7.1', 'Relaying denied'),
  tooManyAnHour: says(450, '4.7.1', 'Too many recipients this hour, try again later'),
  tooManyRecipients: says(452, '4.5.3', 'Too many recipients'),
  otherDestination: says(452, '4.5.3', 'This recipient needs a transaction of its own, try again'),
  noDelivery: says(550, '5.3.2', 'No messages are taken here'),
} as const satisfies Readonly<Record<string, Reply>>;

function says(code: number, enhanced: string | null, text: string): Reply {
  return { code, enhanced, text };
}
