/**
 * The single-byte encodings of the Encoding standard (§9) but windows-1252, which every isolate has: their labels,
 * and the characters of the bytes from 0x80 on.
 */

/**
 * Name, other labels, and runs of characters: how far a run's first character lies behind the one expected next
 * (base 36), `*` and how many there are. `!` and a number are bytes that stand for nothing.
 */
const encodings: readonly (readonly [name: string, labels: string, runs: string])[] = [
  [
    'ibm866',
    '866 cp866 csibm866',
    'pc*1c 6kx*3 -42 x 1o*2 -d -2 d -j 5 5 -2 -2 -24 3 v -9 -h -t 1n x*2 -6 -7 k -4 -7 -h r -6*2 -5*2 -d -2 -7*2 n -2 -2b -d 3f -5 7 3 -h -6kh*g -27 27 -26 27 -26 27 -22 27 -q7 6lk -6lf 6le -79 -6er 7az -7b5',
  ],
  [
    'iso-8859-2',
    'csisolatin2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2',
    '0*x 2r cz -bc -4e 48 s -50*2 53 -3 5 k -5p 5r -3 -5o 2c d1 -be -3z 3t s a3 -eo 4o -3 5 k 9u -9s -3 -15 -44*2 1r -1r 38 -1g -1s 1w -1w 26 -26 26 -26*2 1r 1 1e 3 -39*2 3f -3f*2 3k l -45 45 -45*2 3o -3o 39 -39*2 w -w 2d -1g -x 11 -11 1b -1b 1b -1b*2 w 1 1e 3 -2e*2 2k -2k*2 2p l -3a 3a -3a*2 2t ad',
  ],
  [
    'iso-8859-3',
    'csisolatin3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3',
    '0*x 3p c1 -fq*2 ! 3j -3i*2 3r 19 -1t l -3s ! 5p -5o 3a -3a*4 33 -33*2 3c 19 -1t l -3d ! 5a -59*3 ! 1 1x -3 -1u*9 ! 1*4 23 -23*2 1w -1w*4 3z -h -3i*4 ! 1 12 -3 -z*9 ! 1*4 18 -18*2 11 -11*4 34 -h aj',
  ],
  [
    'iso-8859-4',
    'csisolatin4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4',
    '0*x 2r 1f t -4z 3n i -45*2 53 -27 f 1v -56 5r -5r*2 2c d1 -at -4k 38 i ay -eo 4o -27 f 1v -u 1f -1g -24 -1s*6 2v -z -1w 26 -26 22 -22*2 2j -r 1g 6 -n -2r*5 49 -49*3 3v 1 -3w x -x*6 20 -z -11 1b -1b 17 -17*2 1o -r 1g 6 -n -1w*5 3e -3e*3 30 1 a5',
  ],
  [
    'iso-8859-5',
    'csisolatincyrillic cyrillic iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988',
    '0*x o0*c -o0 o0*1u 5om -5om*c -qe qe*2',
  ],
  [
    'iso-8859-6',
    'arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987',
    '0*x !3 3 !7 12f -128 !d 12l !3 3 ! 1*q !5 5*j !d',
  ],
  [
    'iso-8859-7',
    'csisolatingreek ecma-118 elot_928 greek greek8 iso-ir-126 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 sun_eu_greek',
    '0*x 67r*2 -67r 6bs 2 -6bu*4 k0 -k0*3 ! 67b -67a*4 k0*3 -k0 k0*3 -k0 k0 -k0 k0*k ! 1*18 !',
  ],
  [
    'iso-8859-8',
    'csiso88598e csisolatinhebrew hebrew iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 visual',
    '0*x ! 1*8 19 -19*f 1p -1p*4 !w 66w -56w*r !2 55v*2 !',
  ],
  // The same bytes in logical order.
  ['iso-8859-8-i', 'csiso88598i logical', ''],
  [
    'iso-8859-10',
    'csisolatin6 iso-ir-157 iso8859-10 iso885910 l6 latin6',
    '0*x 2r d f 7 -3 d -40 43 -18 27 5 m -5t 58 -x -4b 2c d f 7 -3 d -3l 3o -18 27 5 m 61i -623 -x -24 -1s*6 2v -z -1w 26 -26 22 -22*4 38 6 -3e*4 41 -41 49 -49*6 x -x*6 20 -z -11 1b -1b 17 -17*4 2d 6 -2j*4 36 -36 3e -3e*5 1l',
  ],
  [
    'iso-8859-13',
    'iso8859-13 iso885913',
    '0*x 67w -67w*3 67t -67t*2 1c -1c 4s -4s*4 n -n*4 67c -67c*3 1s -1s 4d -4d*4 13 t 15 -1b 5 -1v*2 2a -7 -7 -1w 4v -2s b j -d g 10 -u 1 -37 3c -3c*3 4a -1e o f -3z 4e 1 -4f 11 15 -1b 5 -10*2 1f -7 -7 -11 40 -2s b j -d g 10 -u 1 -2c 2h -2h*3 3f -1e o f -34 3j 1 61m',
  ],
  [
    'iso-8859-14',
    'iso8859-14 iso885914',
    '0*x 5sx*2 -5sx 2u*2 5q6 -5t0 5w8 -5w8 5w8 -3c 6e -5za*2 5l 5np*2 -5q8*2 5r2*2 -5u4 5un 16 -17 17 -10 42 -34*2 -11 -5uq*g 4k -4k*6 5ub -5ub*6 48 -48*h 3p -3p*6 5tg -5tg*6 3d -3d',
  ],
  [
    'iso-8859-15',
    'csisolatin9 iso8859-15 iso885915 iso_8859-15 l9',
    '0*10 6bs -6bs 56 -56 55 -55*b 5l -5l*3 5i -5i*3 46*2 10 -56*1t',
  ],
  [
    'iso-8859-16',
    '',
    '0*x 2r*2 1n 67e -3z -62n -56 55 -55 a6 -a6 5p -5p 5o*2 -5o*2 2i 1h 1m 61r -67c*2 5i -36 7f -9r 46*2 10 3 -59*3 1r -1r 1t -1t*a 1s 1e -36*3 3f -3f 3n l -48*4 1n 75 -8s*4 w -w y -y*a x 1e -2b*3 2k -2k 2s l -3d*4 s 75 -7x',
  ],
  [
    'koi8-r',
    'cskoi8r koi koi8 koi8_r',
    '77k 1 9 3 3 3 3 7 7 7 7 1v 3 3 3 3*4 -hg hr -p4*2 19 r*2 -6o6 6tc -6sy 1 4 1r 76g*3 -6iq 6ip*f -6ld 6lc*b -79g pw -v*2 k -j*2 e -i h -e*8 f -g*4 -e -5 p -2 -l g 4 -5 -3 2 -t -v*2 k -j*2 e -i h -e*8 f -g*4 -e -5 p -2 -l g 4 -5 -3 2',
  ],
  [
    'koi8-u',
    'koi8-ru',
    '77k 1 9 3 3 3 3 7 7 7 7 1v 3 3 3 3*4 -hg hr -p4*2 19 r*2 -6o6 6tc -6sy 1 4 1r 76g*3 -6iq 2 6in -6in*2 6in*5 -6h7 -1g 6in*4 -6ld 2 6la -6la*2 6la*5 -6hn -3n -o6 pw -v*2 k -j*2 e -i h -e*8 f -g*4 -e -5 p -2 -l g 4 -5 -3 2 -t -v*2 k -j*2 e -i h -e*8 f -g*4 -e -5 p -2 -l g 4 -5 -3 2',
  ],
  [
    'macintosh',
    'csmacintosh mac x-mac-roman',
    '1w*2 1 1 7 4 5 4 -2 1 1 -2 1 1 1 -2 1*2 1 -2 1*2 1 1 -2 1 1 -2 4 -2 1*2 65f -67l -f*2 3 67u -67h 14 -1e -6 6ew -6en -d 6nr -6mz h 6kl -6lq 6nm*2 -6o1 f 6ks e -3 -5zk 60a -6ma f ku -jo h -1m -v a 6lp -6fd 6gl -1v -6l8 f 67e -687 v 2 h 3g*2 62n*2 7*2 -6*2 -65f 79u -79o 3c 62z 2v -38*2 177q*2 -178i -67f 676 3 h -67j 7 -a 9 -4 4*3 -4 6*2 1d0q -1d0u 7*2 -3 2f b8 l -fi fc*3 -f7 f8 -3 -l',
  ],
  [
    'windows-874',
    'dos-874 iso-8859-11 iso8859-11 iso885911 tis-620',
    '6cs -6cs*4 68x -68x*b 687*2 2*2 4 -g*2 -67x*9 2n4*1m !4 4*t !4',
  ],
  [
    'windows-1250',
    'cp1250 x-cp1250',
    '6cs -6cs 68o -68o 68q 7 -7*2 -68q 693 -635 63c -63k 9 o -5 -6i 687*2 2*2 4 -g*2 -67x 6fd -69u 63c -63k 9 o -5 -63 fa g -bc -4e 2n -2n*4 50 -50*4 5o -5o*2 fd -be -3z*5 24 2h -4l 3l bj -bk 1p -15 -44*2 1r -1r 38 -1g -1s 1w -1w 26 -26 26 -26*2 1r 1 1e 3 -39*2 3f -3f*2 3k l -45 45 -45*2 3o -3o 39 -39*2 w -w 2d -1g -x 11 -11 1b -1b 1b -1b*2 w 1 1e 3 -2e*2 2k -2k*2 2p l -3a 3a -3a*2 2t ad',
  ],
  [
    'windows-1251',
    'cp1251 x-cp1251',
    'oy*2 5jq -5hk 5hm 7 -7*2 3u -3h -5k8 5kf -5kg 1 -2 3 1u 5hh*2 2*2 4 -g*2 -67x 6fd -5oq 5i8 -5i9 1 -2 3 -qo od 27 -2f -o5 rv -rv*2 nt -nt nu -nu*4 ns -ns*2 no 27 1m -rh*3 pl 5ok -5oj -pm po -2c 27 1 -20*1s',
  ],
  [
    'windows-1253',
    'cp1253 x-cp1253',
    '6cs -6cs 68o -615 617 7 -7*2 -68q 693 -693 69a -69a*5 687*2 2*2 4 -g*2 -67x 6fd -6fd 68v -68v*5 kk*2 -kk*7 ! 1*4 67a -67a*4 k0 -k0*3 k0*3 -k0 k0 -k0 k0*k ! 1*18 !',
  ],
  [
    'windows-1254',
    'cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 x-cp1254',
    '6cs -6cs 68o -615 617 7 -7*2 -5ss 5t5 -635 63c -63s -5i*4 687*2 2*2 4 -g*2 -5rt 5z9 -69u 63c -63s -53*2 61 -61*1c 26 -26*c 2b 19 -3k*h 1b -1b*c 1g 19 -2p',
  ],
  [
    'windows-1255',
    'cp1255 x-cp1255',
    '6cs -6cs 68o -615 617 7 -7*2 -5ss 5t5 -693 69a -69a*5 687*2 2*2 4 -g*2 -5rt 5z9 -6fd 68v -68v*8 6bq -6bq*5 19 -19*f 1p -1p*5 z4*k 18*5 !7 -11*r !2 55v*2 !',
  ],
  [
    'windows-1256',
    'cp1256 x-cp1256',
    '6cs -567 523 -615 617 7 -7*2 -5ss 5t5 -52w 533 -63s 10z h -h 12 50o*2 2*2 4 -g*2 -50s 588 -58y 52g -63s 62g*2 -504 -17f 12j -12j*8 178 -178*f 129 -129*4 128 4h -4h*m -128 127*4 5*4 -12c 12b -12b 12a*4 -12a*5 125*2 -125*2 123*4 -123 122*2 -122 121 -121 120 -120*2 64x*2 -4zi',
  ],
  [
    'windows-1257',
    'cp1257 x-cp1257',
    '6cs -6cs 68o -68o 68q 7 -7*2 -68q 693 -693 69a -69a r f2 -eo -15 687*2 2*2 4 -g*2 -67x 6fd -6fd 68v -68v i ff -fx*2 ! 1*3 ! 1*2 1c -1c 4s -4s*4 n -n*8 1s -1s 4d -4d*4 13 t 15 -1b 5 -1v*2 2a -7 -7 -1w 4v -2s b j -d g 10 -u 1 -37 3c -3c*3 4a -1e o f -3z 4e 1 -4f 11 15 -1b 5 -10*2 1f -7 -7 -11 40 -2s b j -d g 10 -u 1 -2c 2h -2h*3 3f -1e o f -34 3j 1 9m',
  ],
  [
    'windows-1258',
    'cp1258 x-cp1258',
    '6cs -6cs 68o -615 617 7 -7*2 -5ss 5t5 -693 69a -63s -5i*4 687*2 2*2 4 -g*2 -5rt 5z9 -6fd 68v -63s -53*2 61 -61*z 1r -1r*8 fo -fo*3 1s -1s fr -fr*2 5n -5n*7 5u 9f -f9*4 w -w*8 et -et*3 x -x fl -fl*2 4s -4s*7 4z 64a -699',
  ],
  [
    'x-mac-cyrillic',
    'x-mac-ukrainian',
    'pc*w 5io -67l rj -ry 3 67u -67h nj -nt -6 6ew -5r5 27 5xp -5zy 27 5vu -6lq 6nm*2 -5xs -pu rf -3u -5 27 -26 27 -27 27 -28 27 -3 -2c -nu 6lp -6fd 6gl -1v -6l8 f 67e -687 oa 27 -28 27 -8 5h9*2 7*2 -6*2 -65f 65i -5jl 27 -28 27 5o6 -5qu 27 -3 -w*v 5lp',
  ],
  ['x-user-defined', '', '1csg*3k'],
];

/** A label in lower case → name, and the characters of 0x80–0xFF, U+FFFD for none. */
export function singleByte(
  label: string,
): { readonly name: string; readonly characters: string } | undefined {
  const at = encodings.findIndex(
    ([name, labels]) => name === label || labels.split(' ').includes(label),
  );
  const [name, , runs] = encodings[at] ?? [];
  if (name === undefined || runs === undefined || label === '') return undefined;
  return { name, characters: spell(runs === '' ? (encodings[at - 1]?.[2] as string) : runs) };
}

function spell(runs: string): string {
  let text = '';
  let next = 0x80;
  for (const run of runs.split(' ')) {
    if (run.startsWith('!')) {
      text += '\ufffd'.repeat(Number.parseInt(run.slice(1) || '1', 36));
      continue;
    }
    const [ahead, count = '1'] = run.split('*');
    next += Number.parseInt(ahead as string, 36);
    for (let i = Number.parseInt(count, 36); i > 0; i--) text += String.fromCharCode(next++);
  }
  return text;
}
